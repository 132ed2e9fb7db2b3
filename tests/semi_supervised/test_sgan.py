import torch
from torch.nn.utils.parametrizations import weight_norm

from core.nn.networks import WeightNormalised
from core.semi_supervised.sgan import SemiSupervisedGAN


def make_sgan(**params):
    settings = {"width": 64, "n_components": 16, "epochs": 2, "batch_size": 100, "random_state": 0}
    return SemiSupervisedGAN(**{**settings, **params})


def test_weight_normalisation_is_torchs_own():
    """eq. 2 of Salimans and Kingma 2016: rows of the weight have direction v and length g."""
    ours, known = WeightNormalised(5, 3, learns_scale=True), weight_norm(torch.nn.Linear(5, 3))
    with torch.no_grad():
        ours.scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
    names = ("bias", "parametrizations.weight.original0", "parametrizations.weight.original1")
    known.load_state_dict(dict(zip(names, (ours.bias, ours.scale[:, None], ours.direction), strict=True)))
    x, theirs = torch.randn(7, 5), known.parametrizations.weight
    for layer in (ours, known):
        layer(x).square().sum().backward()
    assert torch.allclose(ours(x), known(x), atol=1e-5)
    assert torch.allclose(ours.direction.grad, theirs.original1.grad, atol=1e-4)
    assert torch.allclose(ours.scale.grad, theirs.original0.grad[:, 0], atol=1e-4)


def test_units_start_with_mean_0_and_variance_1_and_keep_their_scale(digits):
    X, y, _, _ = digits
    # After one step at this rate the network is as it was initialised.
    classifier = make_sgan(epochs=1, batch_size=1437, learning_rate=1e-9).fit(X, y)
    first = classifier.networks_["discriminator"][0]
    noise = torch.randn((500, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        out = first(torch.as_tensor(X[:500]) + 0.3 * noise)
    assert out.mean(0).abs().max() < 0.2
    assert (out.std(0) - 1).abs().max() < 0.2
    trained = make_sgan(epochs=2).fit(X, y).networks_["discriminator"]
    for layer, other in zip(classifier.networks_["discriminator"][:-1], trained[:-1], strict=True):
        assert torch.equal(layer.scale, other.scale)


def test_consistency_counts_in_the_second_half_alone(digits):
    X, y, _, _ = digits
    rows, alone = (make_sgan(epochs=6, consistency=weight).fit(X, y).history_ for weight in (1.0, 0.0))
    assert [row["disagreement"] > 0 for row in rows] == [False] * 3 + [True] * 3
    assert {row["disagreement"] for row in alone} == {0}
    assert rows[2]["discriminator_loss"] == alone[2]["discriminator_loss"]
    assert rows[5]["discriminator_loss"] != alone[5]["discriminator_loss"]
