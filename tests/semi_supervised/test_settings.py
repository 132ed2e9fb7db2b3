"""Settings: there for every approach and data set, allowed by what they are given to, and fair."""

import numpy as np
import pytest

from core import datasets, methods, semi_supervised
from core.errors import BadInput
from core.methods.ae import Autoencoder
from core.semi_supervised import settings
from core.semi_supervised.results import PUBLISHED
from core.types import DOCUMENTS, IMAGES, Classifier

LABELLED = [name for name in datasets.names() if datasets.entry(name).has_labels]
CASES = [(dataset, name) for dataset in LABELLED for name in semi_supervised.names(datasets.entry(dataset).kind)]


def test_every_approach_has_settings_that_its_classifier_takes():
    for dataset, name in CASES:
        chosen = settings.get_settings(name, dataset)
        classifier = semi_supervised.build(name, chosen, None, 3)
        assert isinstance(classifier, Classifier)
        params = classifier.get_params()
        assert params.get("random_state", 3) == 3
        # Each setting arrives: at the classifier, or at the last step of its pipeline.
        for key, value in chosen.items():
            if key != "scaling":
                assert [v for k, v in params.items() if k.split("__")[-1] == key] == [value], (dataset, name, key)


def test_pretraining_is_of_declared_parameters_without_augmentation():
    for dataset, name in CASES:
        method, kind = semi_supervised.get(name).pretrained, datasets.entry(dataset).kind
        if not method:
            continue
        declared = {p.name: p for p in methods.get(method).params_of(kind)}
        chosen = settings.get_pretraining(dataset, method)
        assert {key: declared[key].check(value) for key, value in chosen.items()} == chosen
        # Data alone settle what is learned, not the clock.
        assert not chosen.get("max_seconds")
        # No approach knows more of images than the others.
        params = {name: p.default for name, p in declared.items()} | chosen
        assert (params.get("network", "mlp"), params.get("augment", 0.0)) == ("mlp", 0.0), (dataset, name)


def test_network_from_scratch_differs_from_the_fine_tuned_ae_in_pretraining_alone():
    random = np.random.default_rng(0)
    X, y = random.random((40, 64), np.float32), np.arange(40) % 4
    for dataset in ("mnist", "digits"):
        scratch, fine_tuned = (settings.get_settings(name, dataset) for name in ("network", "fine_tuned"))
        assert scratch == fine_tuned
        ae = Autoencoder(**{**settings.get_pretraining(dataset, "ae"), "epochs": 1}, random_state=0).fit(X)
        layers = []
        for name, pretrained in (("network", None), ("fine_tuned", ae)):
            network = semi_supervised.build(name, {**scratch, "steps": 1}, pretrained, 0).fit(X, y)
            layers.append([(type(part), part.extra_repr()) for part in network.networks_["classifier"].modules()])
        assert layers[0] == layers[1]


def test_registry_lists_by_kind_and_refuses_unknown_approaches():
    assert ("lsa" in semi_supervised.names(IMAGES), "m2" in semi_supervised.names(DOCUMENTS)) == (False, False)
    with pytest.raises(BadInput, match="There is no approach 'umap': choose one of network, "):
        semi_supervised.get("umap")


def test_published_errors_are_as_printed():
    """Kingma et al. 2014, table 1, and Salimans et al. 2016, table 1."""
    for dataset, name in PUBLISHED:
        assert name in semi_supervised.names(datasets.entry(dataset).kind)
    assert [p.error for p in PUBLISHED["mnist", "m1_m2"]] == [3.33, 2.59, 2.40, 2.18]
    assert [p.labels for p in PUBLISHED["mnist", "m2"]] == [100, 600, 1000, 3000]
