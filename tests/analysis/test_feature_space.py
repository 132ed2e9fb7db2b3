"""The classifier that samples are measured with, against the network itself."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from core import datasets
from core.analysis import feature_space
from core.errors import HourglassError
from core.nn.networks import image_classifier
from core.types import IMAGES


def test_classes_are_those_of_the_whole_network(digits):
    arrays, networks = load_file(feature_space.get_classifier_path("digits")), image_classifier((8, 8), 10)
    state = networks.state_dict()
    networks.load_state_dict({name: torch.tensor(arrays[name]).to(state[name].dtype) for name in state})
    with torch.inference_mode():
        features = networks.eval()["features"](torch.as_tensor(digits.floats("test")))
        expected = networks["head"](features).argmax(1).numpy()
    assert np.array_equal(feature_space.get_feature_space(digits).classes(digits.floats("test")), expected)


def test_every_data_set_of_labelled_images_has_a_classifier():
    for name in datasets.names():
        has_file = feature_space.has_classifier(name) and feature_space.get_classifier_path(name).is_file()
        assert has_file == (name not in ("frey", "olivetti") and datasets.entry(name).kind == IMAGES), name


def test_a_classifier_that_is_missing_or_of_another_size_is_said_to_be(tmp_path, monkeypatch):
    with pytest.raises(HourglassError, match="can't be read"):
        feature_space.load_classifier_space("digits", (28, 28))
    monkeypatch.setattr(feature_space, "FOLDER", tmp_path)
    feature_space.get_classifier_path("digits").write_bytes(b"nonsense")
    with pytest.raises(HourglassError, match="python -m core ship digits"):
        feature_space.load_classifier_space("digits", (8, 8))
