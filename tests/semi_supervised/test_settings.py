"""Settings: there for every approach and data set, allowed by what they are given to, and fair."""

import json

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
IMAGES_LABELLED = [name for name in LABELLED if datasets.entry(name).kind == IMAGES]


@pytest.mark.parametrize(("dataset", "name"), CASES)
def test_every_approach_has_settings_and_a_classifier_that_takes_them(dataset, name):
    found = settings.get_settings(name, dataset)
    classifier = semi_supervised.build(name, found, None, 3)
    assert isinstance(classifier, Classifier)
    for part in ("fit", "predict_proba", "codes"):
        assert callable(getattr(classifier, part)), part
    if "random_state" in classifier.get_params():
        assert classifier.random_state == 3
    # Each setting arrives: at the classifier, or at the last step of its pipeline.
    inner = classifier.get_params()
    for key, value in found.items():
        if key != "scaling":
            assert [v for k, v in inner.items() if k.split("__")[-1] == key] == [value], key


@pytest.mark.parametrize(("dataset", "name"), CASES)
def test_pretraining_is_of_declared_parameters(dataset, name):
    method = semi_supervised.get(name).pretrained
    if not method:
        return
    kind = datasets.entry(dataset).kind
    assert kind in methods.entry(method).kinds
    declared = {p.name: p for p in methods.get(method).params_of(kind)}
    for key, value in settings.get_pretraining(dataset, method).items():
        assert declared[key].check(value) == value
    # Data alone settle what is learned, not the clock.
    assert not settings.get_pretraining(dataset, method).get("max_seconds")


@pytest.mark.parametrize(("dataset", "name"), CASES)
def test_settings_are_json_and_no_ones_to_change(dataset, name):
    found = settings.get_settings(name, dataset)
    assert json.loads(json.dumps(found)) == found
    found["C"] = 1e9
    assert settings.get_settings(name, dataset) != found
    if method := semi_supervised.get(name).pretrained:
        before = settings.get_pretraining(dataset, method)
        assert json.loads(json.dumps(before)) == before
        before["epochs"] = 10**9
        assert settings.get_pretraining(dataset, method) != before


@pytest.mark.parametrize("dataset", IMAGES_LABELLED)
def test_the_network_from_scratch_has_what_the_fine_tuned_ae_has(dataset):
    """Architecture, steps, noise and the rest of the training, so that what differs is the pre-training."""
    scratch, fine_tuned, before = (
        settings.get_settings("network", dataset),
        settings.get_settings("fine_tuned", dataset),
        settings.get_pretraining(dataset, "ae"),
    )
    assert scratch == fine_tuned
    random = np.random.default_rng(0)
    X, y = random.random((40, 64), np.float32), np.arange(40) % 4
    ae = Autoencoder(**{**before, "epochs": 1}, random_state=0).fit(X)
    own = [
        semi_supervised.build(name, {**of_name, "steps": 1}, pretrained, 0).fit(X, y)
        for name, of_name, pretrained in (("network", scratch, None), ("fine_tuned", fine_tuned, ae))
    ]
    layers = [[(type(part), part.extra_repr()) for part in each.networks_["classifier"].modules()] for each in own]
    assert layers[0] == layers[1]
    params = [{k: v for k, v in each.get_params(deep=False).items() if k != "pretrained"} for each in own]
    assert params[0] == params[1]
    assert own[0].environment_["steps"] == own[1].environment_["steps"]


@pytest.mark.parametrize("dataset", IMAGES_LABELLED)
def test_nothing_knows_more_of_images_than_the_others(dataset):
    """No augmentation and no convolution anywhere."""
    for name in semi_supervised.names(IMAGES):
        if method := semi_supervised.get(name).pretrained:
            declared = {p.name: p.default for p in methods.get(method).params_of(IMAGES)}
            params = {**declared, **settings.get_pretraining(dataset, method)}
            assert params.get("network", "mlp") == "mlp", name
            assert params.get("augment", 0.0) == 0.0, name


def test_data_sets_of_about_as_many_rows_share_their_settings():
    for names in (("mnist", "fashion-mnist"), ("digits", "mnist-sample", "fashion-sample")):
        for name in semi_supervised.names(IMAGES):
            assert all(
                settings.get_settings(name, other) == settings.get_settings(name, names[0]) for other in names
            ), name


# --- The registry -------------------------------------------------------------------------------------------------


def test_the_registry_lists_by_kind_and_refuses_the_unknown():
    assert set(semi_supervised.names()) == {*semi_supervised.names(IMAGES), *semi_supervised.names(DOCUMENTS)}
    assert "lsa" not in semi_supervised.names(IMAGES)
    assert "m2" not in semi_supervised.names(DOCUMENTS)
    with pytest.raises(BadInput, match="There is no approach 'umap': choose one of network, "):
        semi_supervised.get("umap")
    with pytest.raises(BadInput, match="There is no approach"):
        semi_supervised.build("x" * 1000, {}, None, 0)
    labels = [semi_supervised.get(name).label for name in semi_supervised.names()]
    assert len(set(labels)) == len(labels)


def test_published_errors_are_of_approaches_there_are():
    for (dataset, name), figures in PUBLISHED.items():
        assert dataset in datasets.names()
        assert name in semi_supervised.names(datasets.entry(dataset).kind)
        assert all(0 < p.error < 100 and p.labels > 0 and p.what and p.paper for p in figures)
    # Kingma et al. 2014, table 1, and Salimans et al. 2016, table 1, as printed.
    assert [p.error for p in PUBLISHED["mnist", "m1_m2"]] == [3.33, 2.59, 2.40, 2.18]
    assert [p.labels for p in PUBLISHED["mnist", "m2"]] == [100, 600, 1000, 3000]
