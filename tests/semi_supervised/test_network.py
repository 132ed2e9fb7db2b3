"""The network on labelled rows: a budget in steps, and pre-training."""

import numpy as np

from core.methods.ae import Autoencoder
from core.semi_supervised.network import NetworkClassifier

SMALL = {"width": 32, "layers": 2, "steps": 60, "random_state": 0}


def test_budget_is_in_steps_however_many_labels(digits):
    X, y, _, _ = digits
    for n in (10, 20):
        rows = np.flatnonzero(y >= 0)[:n]
        network = NetworkClassifier(**{**SMALL, "batch_size": 5}).fit(X[rows], y[rows])
        assert network.environment_["steps"] == 60


def test_fine_tuning_starts_from_the_encoder_and_leaves_it_as_it_is(digits):
    X, y, X_test, _ = digits
    ae = Autoencoder(5, width=32, layers=2, epochs=2, random_state=0).fit(X)
    before = ae.transform(X_test)
    hidden = ae.networks_["encoder"][:-1]
    started = NetworkClassifier(ae, **{**SMALL, "steps": 1, "learning_rate": 1e-12}).fit(X, y)
    layer = started.networks_["averaged"][0]
    assert np.allclose(layer.weight.detach(), hidden[0].weight.detach(), atol=1e-6)
    NetworkClassifier(ae, **SMALL).fit(X, y)
    assert np.array_equal(ae.transform(X_test), before)
