"""scikit-learn's own checks of estimators, and the hyper-parameters that each declares."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from core.errors import BadInput
from core.methods.ae import Autoencoder
from core.methods.gan import GAN
from core.methods.gan_inverter import GANInverter
from core.methods.linear_ae import LinearAutoencoder
from core.methods.tsne import TSNEMap
from core.methods.vae import VAE

SMALL = {"width": 16, "epochs": 2, "batch_size": 16, "random_state": 0}
# scikit-learn checks with any numbers, so the outputs are those that allow any.
ESTIMATORS = {
    "ae": Autoencoder(2, layers=1, output="linear", **SMALL),
    "linear_ae": LinearAutoencoder(2, epochs=2, batch_size=16, random_state=0),
    "vae": VAE(2, layers=1, output="normal", **SMALL),
    "gan": GAN(2, network="mlp", **{**SMALL, "width": 32}),
    "tsne": TSNEMap(perplexity=2.0, max_iter=300, random_state=0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learns_checks(name):
    names = ("check_methods_sample_order_invariance", "check_methods_subset_invariance") if name == "vae" else ()
    expected = dict.fromkeys(names, "score_samples is a Monte-Carlo estimate whose draws differ from row to row")
    results = check_estimator(ESTIMATORS[name], expected_failed_checks=expected, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected)
    assert sum(result["status"] == "passed" for result in results) > 30


@pytest.mark.parametrize("cls", [Autoencoder, LinearAutoencoder, VAE, GAN, GANInverter])
def test_hyperparameters_are_declared_once_and_checked_by_fit(cls):
    X = np.random.default_rng(0).random((40, 9), dtype=np.float32)
    declared = {param.name: param.default for param in cls.PARAMS}
    assert declared.items() <= cls().get_params(deep=False).items()
    assert clone(cls(random_state=3)).random_state == 3
    assert vars(cls(7))[cls.FIRST] == 7
    for arguments, keywords in (((1, 2), {}), ((), {"depth": 3})):
        with pytest.raises(TypeError):
            cls(*arguments, **keywords)
    for param in cls.PARAMS:
        low, high = param.bounds[0], param.bounds[-1]
        for value in ("none", 1) if isinstance(param.default, str) else (low - 1, high * 2 + 1, "1", np.nan):
            with pytest.raises(BadInput, match=rf"^{param.name}=.* is not allowed: choose ") as refusal:
                cls(**{param.name: value}).fit(X)
            assert isinstance(refusal.value, ValueError)
            assert str(refusal.value).endswith(f"choose {param.allowed}.")
