"""The registry of ways to learn a classifier from few labels. A module of them is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from core.types import DOCUMENTS, IMAGES, BadInput, Classifier

_ALL = (IMAGES, DOCUMENTS)


@dataclass(frozen=True)
class Approach:
    """A way to learn a classifier where few of the training rows have a label.

    Attributes
    ----------
    name : what the command line calls it; label : what people read.
    module : of ``core.approaches``, whose ``BUILDERS[name](settings, pretrained, seed)`` is the unfitted classifier.
    summary : one sentence.
    pretrained : the method of `core.methods` that is fitted to all training rows, without labels, and that it starts
        from; nothing for one that does without.
    sees_unlabelled : whether rows without a label take part at all.
    version : goes into a cell's key; raised when the same settings would give another result.
    """

    name: str
    label: str
    module: str
    summary: str
    kinds: tuple[str, ...] = (IMAGES,)
    pretrained: str = ""
    sees_unlabelled: bool = True
    version: int = 1


_APPROACHES = {
    approach.name: approach
    for approach in (
        Approach(
            "network",
            "Network from scratch",
            "network",
            "A fully connected network that learns from the labelled rows alone: the baseline.",
            sees_unlabelled=False,
        ),
        Approach(
            "logistic",
            "Logistic regression",
            "linear",
            "A linear classifier on the rows themselves: pixels, or word counts weighted by tf-idf.",
            _ALL,
            sees_unlabelled=False,
        ),
        Approach("pca", "PCA + logistic", "linear", "A linear classifier on PCA's codes.", pretrained="pca"),
        Approach("lsa", "LSA + logistic", "linear", "A linear classifier on LSA's codes.", (DOCUMENTS,), "lsa"),
        Approach(
            "ae", "AE features + logistic", "linear", "A linear classifier on an AE's codes, kept frozen.", _ALL, "ae"
        ),
        Approach(
            "fine_tuned",
            "AE, fine-tuned",
            "network",
            "The encoder of an AE with a new last layer, both trained on the labelled rows.",
            pretrained="ae",
        ),
        Approach(
            "vae", "VAE features + logistic", "linear", "A linear classifier on a VAE's posterior means.", _ALL, "vae"
        ),
        Approach(
            "vae_svm",
            "VAE features + SVM",
            "linear",
            "A support vector machine (radial basis functions) on a VAE's posterior means, inductive.",
            pretrained="vae",
        ),
        Approach(
            "m1",
            "M1, transductive",
            "spreading",
            "Label spreading on the nearest-neighbour graph of a VAE's codes of all training rows; test rows go by "
            "their neighbours.",
            pretrained="vae",
        ),
        Approach("m2", "M2", "m2", "A VAE whose code has a part for the class, which a classifier infers."),
        Approach("m1_m2", "M1 + M2", "m2", "M2 on the codes of a VAE in place of the rows.", pretrained="vae"),
        Approach(
            "gan",
            "GAN features + logistic",
            "linear",
            "A linear classifier on the last hidden layer of a GAN's discriminator.",
            pretrained="gan",
        ),
        Approach(
            "sgan",
            "Semi-supervised GAN",
            "sgan",
            "A discriminator that tells the classes and generated rows apart, against a generator that matches its "
            "features; it also learns to agree with its own running average.",
        ),
        Approach(
            "spreading",
            "Label spreading",
            "spreading",
            "Label spreading on the nearest-neighbour graph of the rows themselves: the classical reference.",
        ),
    )
}


def names(kind: str | None = None) -> list[str]:
    """Every approach, or those for a kind of data set."""
    return [name for name, approach in _APPROACHES.items() if kind is None or kind in approach.kinds]


def get(name: str) -> Approach:
    """Raises BadInput for a name that isn't registered."""
    if name not in _APPROACHES:
        raise BadInput(f"There is no approach {name!r:.60}: choose one of {', '.join(_APPROACHES)}.")
    return _APPROACHES[name]


def build(name: str, settings: Mapping[str, Any], pretrained: Any, seed: int) -> Classifier:
    """The unfitted classifier: ``fit(X, y)`` takes all training rows, with y = -1 where no label is given.

    Parameters
    ----------
    settings : see `core.approaches.settings`.
    pretrained : the fitted estimator it starts from, or None.
    """
    return import_module(f"core.approaches.{get(name).module}").BUILDERS[name](settings, pretrained, seed)
