"""What all classifiers with few labels have in common."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from core.errors import BadInput
from core.semi_supervised.feature_classifiers import FeaturesClassifier
from core.semi_supervised.label_spreading import GraphSpreading
from core.semi_supervised.m2 import M2
from core.semi_supervised.network import NetworkClassifier
from core.semi_supervised.sgan import SemiSupervisedGAN

PARAMS = {
    "network": {"width": 64, "layers": 2, "steps": 100},
    "m2": {"n_components": 5, "width": 64, "epochs": 10, "batch_size": 100, "alpha": 1.0, "noise": 0.0},
    "sgan": {"width": 128, "n_components": 16, "epochs": 10, "batch_size": 100},
}
QUICK = {"network": {"steps": 5}, "m2": {"epochs": 2}, "sgan": {"epochs": 2}}
CLASSES = {"network": NetworkClassifier, "m2": M2, "sgan": SemiSupervisedGAN}
CHECKED = {
    "features": FeaturesClassifier(make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))),
    "spreading": GraphSpreading(),
    "network": NetworkClassifier(width=32, layers=2, steps=60, random_state=0),
    "m2": M2(2, output="normal", width=32, epochs=15, batch_size=32, dropout=0.0, noise=0.0, average=0.9),
    "sgan": SemiSupervisedGAN(4, width=64, generator_width=16, epochs=12, batch_size=20, average=0.9, random_state=0),
}


def build(name, **params):
    return CLASSES[name](**PARAMS[name] | params, random_state=0) if name in CLASSES else CHECKED[name]


@pytest.mark.parametrize("name", CHECKED)
def test_scikit_learn_checks(name):
    expected = {"check_classifiers_classes": "its class -1 means unlabelled here"}
    if name == "sgan":
        expected["check_methods_subset_invariance"] = "float32 logits may differ by 1e-6 with the number of rows"
    check_estimator(CHECKED[name], expected_failed_checks=expected, on_skip=None)


def test_digits_are_learned_from_two_labels_a_class(digits):
    X, y, X_test, y_test = digits
    accuracies = {"features": 0.6, "spreading": 0.8, "network": 0.5, "m2": 0.6, "sgan": 0.6}
    for name, accuracy in accuracies.items():
        classifier = build(name).fit(X, y)
        assert classifier.predict_proba(X_test) @ np.ones(10) == pytest.approx(np.ones(360)), name
        assert classifier.score(X_test, y_test) > accuracy, name
        assert len(classifier.codes(X_test)) == 360, name
        with pytest.raises(BadInput, match="No row has a label"):
            build(name).fit(X, np.full(1437, -1))


def test_networks_repeat_with_their_seed_and_stop_when_told(digits):
    X, y, X_test, _ = digits
    for name in CLASSES:
        first, second = (build(name, **QUICK[name]).fit(X, y).predict_proba(X_test) for _ in range(2))
        assert np.array_equal(first, second), name
        alone = build(name, **QUICK[name]).fit(X[y >= 0], y[y >= 0]).predict_proba(X_test)
        assert np.array_equal(first, alone) == (name == "network"), "the network alone uses no unlabelled row"
        assert len(build(name).fit(X, y, on_epoch=lambda row: True).history_) == 1, name
