"""The registry of approaches to classification with few labels. Their modules are imported when they are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES, KINDS, TABLES, Classifier


@dataclass(frozen=True)
class Approach:
    """A way to train a classifier if few of the training rows have a label.

    Attributes
    ----------
    name, label, summary : name on the command line, label on the pages, and a sentence.
    module : module of ``core.semi_supervised`` whose ``BUILDERS[name](settings, pretrained, seed)`` is the classifier.
    kinds : kinds of data set that it works on.
    pretrained : method that is first fitted to all training rows without labels, or empty.
    sees_unlabelled : whether rows without a label are used.
    version : part of a cell's key; raised when the same settings give another result.
    """

    name: str
    label: str
    module: str
    summary: str
    kinds: tuple[str, ...] = (IMAGES, TABLES)
    pretrained: str = ""
    sees_unlabelled: bool = True
    version: int = 1


_FEATURES, _SPREADING = "feature_classifiers", "label_spreading"
_BASELINE = "A fully connected network trained on the labelled rows only: the baseline of images."
_LINEAR = "Logistic regression on pixels, tf-idf word counts, or the features of a table."
_FINE_TUNED = "The encoder of an AE with a new last layer, trained on the labelled rows."
_SVM = "A support vector machine with an RBF kernel on the posterior means of a VAE."
_DISCRIMINATOR = "Logistic regression on the last hidden layer of a GAN's discriminator."
_M1 = "Label spreading on the nearest-neighbour graph of a VAE's codes."
_SGAN = "The discriminator of a GAN predicts classes too; a running average of it classifies."
_GRAPH = "Label spreading on the nearest-neighbour graph of the rows: the classical reference."
_TREES = "Trees fitted to the labelled rows in sequence, each to the errors of those before."
_BOTH = "The mean of the probabilities of gradient boosting and logistic regression: the baseline of tables."
_APPROACHES = {
    approach.name: approach
    for approach in (
        Approach("network", "Network from scratch", "network", _BASELINE, sees_unlabelled=False),
        Approach("logistic", "Logistic regression", _FEATURES, _LINEAR, KINDS, sees_unlabelled=False),
        Approach("pca", "PCA + logistic", _FEATURES, "Logistic regression on PCA codes.", pretrained="pca"),
        Approach("lsa", "LSA + logistic", _FEATURES, "Logistic regression on LSA codes.", (DOCUMENTS,), "lsa"),
        Approach("ae", "AE features + logistic", _FEATURES, "Logistic regression on AE codes.", KINDS, "ae"),
        Approach("fine_tuned", "AE, fine-tuned", "network", _FINE_TUNED, pretrained="ae"),
        Approach("vae", "VAE features + logistic", _FEATURES, "Logistic regression on posterior means.", KINDS, "vae"),
        Approach("vae_svm", "VAE features + SVM", _FEATURES, _SVM, pretrained="vae"),
        Approach("m1", "M1, transductive", _SPREADING, _M1, pretrained="vae"),
        Approach("m2", "M2", "m2", "A VAE with a latent class, inferred by a classifier."),
        Approach("m1_m2", "M1 + M2", "m2", "M2 on the codes of a VAE instead of the rows.", pretrained="vae"),
        Approach("gan", "GAN features + logistic", _FEATURES, _DISCRIMINATOR, pretrained="gan"),
        Approach("sgan", "Semi-supervised GAN", "sgan", _SGAN),
        Approach("spreading", "Label spreading", _SPREADING, _GRAPH),
        Approach("boosting", "Gradient boosting", _FEATURES, _TREES, (TABLES,), sees_unlabelled=False),
        Approach("both", "Boosting and logistic", _FEATURES, _BOTH, (TABLES,), sees_unlabelled=False),
    )
}


def names(kind: str | None = None) -> list[str]:
    """Return the names of all approaches, or of those for a kind of data set."""
    return [name for name, approach in _APPROACHES.items() if kind is None or kind in approach.kinds]


def get(name: str) -> Approach:
    """Return the approach with this name, or raise BadInput."""
    if name not in _APPROACHES:
        raise BadInput(f"There is no approach {name!r:.60}: choose one of {', '.join(_APPROACHES)}.")
    return _APPROACHES[name]


def build(
    name: str, settings: Mapping[str, Any], pretrained: Any, seed: int, blocks: tuple[int, ...] = ()
) -> Classifier:
    """Return the unfitted classifier, whose ``fit(X, y)`` takes all training rows, y = -1 for rows without a label.

    `pretrained` is the fitted estimator of `Approach.pretrained`, or None; `blocks` of a table as `core.types.Form`.
    """
    classifier = import_module(f"core.semi_supervised.{get(name).module}").BUILDERS[name](settings, pretrained, seed)
    return classifier.set_params(blocks=blocks) if blocks and "blocks" in classifier.get_params() else classifier
