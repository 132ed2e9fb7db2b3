"""A VAE and a GAN on the same 2-D data: blurry samples of all, or sharp ones of some.

Both have a generator of one form, x = G(z) + noise * eps, so both have a density, and their two kinds of error are
numbers: KL(p || q) is large where data are missed, KL(q || p) where samples lie off the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

from core.errors import Diverged
from core.mechanisms import density_comparison, gan_game, toy_networks
from core.mechanisms.density_comparison import Distribution
from core.mechanisms.gaussian_mixtures import Mixture
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.toy_networks import NoisyGenerator, Player, Sampler
from core.nn import losses

VAE, GAN = "vae", "gan"
MODELS = (VAE, GAN)
N_FRAMES = 12
_MOST_IN_FRAME = 500  # samples
_REGION = 0.99
_N_CODES, _CODE_REACH = 65_536, 3.0  # of a density that is scored
_VAE_RATE, _VAE_MOMENTUM = 0.002, 0.9
_LEAST_NOISE = 0.05  # the density of a generator with less could not be estimated from a few thousand codes
_FLOOR = ("precision", "recall")


@dataclass(frozen=True)
class Settings:
    """What both are trained on and for how long.

    Attributes
    ----------
    target : a name in `core.mechanisms.gaussian_mixtures.TARGETS`, or a mixture, 2-D
    steps : of the VAE, and rounds of the GAN
    width : units in each of the two hidden layers of every network
    batch : rows of a step
    n_samples : samples of each model, and real rows, that are compared
    seed : of the initial weights and of all draws
    """

    target: str | Mixture = "ring"
    steps: int = 2000
    width: int = 64
    batch: int = 128
    n_samples: int = 1000
    seed: int = 0

    @property
    def game(self) -> gan_game.Settings:
        """The GAN's settings: a discriminator with sharp edges, as those of images have."""
        sizes = {"width": self.width, "batch": self.batch, "seed": self.seed}
        return gan_game.Settings(self.target, discriminator_rate=0.002, waves=4, **sizes)


@dataclass(frozen=True)
class Scores:
    """How a model's samples compare with the data.

    Attributes
    ----------
    precision, recall : Kynkäänniemi et al. 2019, k = 3, at equal n; in [0, 1]
    inside : share of samples within the smallest region that holds 99% of the data's density; ideally 0.99
    reached : share of real rows within the smallest region that holds 99% of the model's density; ideally 0.99
    modes : see `core.mechanisms.density_comparison.compute_mode_coverage`
    missing : KL(p || q) in nats, from real rows; maximum likelihood lowers it
    straying : KL(q || p) in nats, from samples
    jensen_shannon : JS(p, q) in nats
    missing_error, straying_error, jensen_shannon_error : their standard errors; those of the KL divergences include how
        far the estimated density of the generator may be off
    """

    precision: float
    recall: float
    inside: float
    reached: float
    modes: float
    missing: float
    missing_error: float
    straying: float
    straying_error: float
    jensen_shannon: float
    jensen_shannon_error: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """A VAE and a GAN after training, in numpy arrays.

    Attributes
    ----------
    real : (n, 2) real rows
    samples : model -> (n, 2), drawn with the generator's noise
    frames : model -> (N_FRAMES + 1, m, 2) samples of the same codes during training, the first before any step
    history : model -> (steps, 2); the VAE's reconstruction and KL in nats per row, whose sum is the negative evidence
        lower bound; the GAN's losses of discriminator and generator in nats
    noise : model -> standard deviation of the generator's noise: learned by the VAE, fixed for the GAN
    scores : model -> `Scores`
    floor : precision and recall of other real rows, those of a perfect model at this n
    """

    real: np.ndarray
    samples: dict[str, np.ndarray]
    frames: dict[str, np.ndarray]
    history: dict[str, np.ndarray]
    noise: dict[str, float]
    scores: dict[str, Scores]
    floor: dict[str, float]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All of it as named arrays, to be stored; inverse of `from_arrays`."""
        values: dict[str, Any] = {"real": self.real, **{f"floor.{name}": value for name, value in self.floor.items()}}
        for model in MODELS:
            for name in ("samples", "frames", "history", "noise"):
                values[f"{model}.{name}"] = getattr(self, name)[model]
            values |= {f"{model}.scores.{name}": value for name, value in vars(self.scores[model]).items()}
        return {name: np.asarray(value) for name, value in values.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Comparison:
        """From what `to_arrays` returned."""

        def read_numbers(prefix: str) -> dict[str, float]:
            return {k.removeprefix(prefix): float(value) for k, value in arrays.items() if k.startswith(prefix)}

        return cls(
            arrays["real"],
            *({model: arrays[f"{model}.{name}"] for model in MODELS} for name in ("samples", "frames", "history")),
            noise={model: float(arrays[f"{model}.noise"]) for model in MODELS},
            scores={model: Scores(**read_numbers(f"{model}.scores.")) for model in MODELS},
            floor=read_numbers("floor."),
        )


class SmallVAE:
    """A VAE with two latent dimensions and a Normal output of one learned deviation.

    `history` has reconstruction and KL of each step, in nats per row.
    """

    def __init__(self, settings: Settings):
        import torch
        from torch import nn

        game = settings.game
        random = torch.Generator().manual_seed(settings.seed)
        self.batch, self.dimension = settings.batch, game.mixture.dimension
        decoder = gan_game.make_generator(game, random)
        encoder = toy_networks.make_network(self.dimension, 2 * self.dimension, settings.width, random)
        self.networks = nn.ModuleDict({"decoder": decoder, "encoder": encoder})
        self.networks.register_parameter("log_noise", nn.Parameter(torch.zeros(())))
        self.player = Player(self.networks, _VAE_RATE, _VAE_MOMENTUM)
        self.sampler = Sampler(game.mixture, 0.0, random)
        self.history: list[tuple[float, float]] = []

    @property
    def generator(self) -> NoisyGenerator:
        """The decoder with its noise; it goes on learning with the VAE."""
        return NoisyGenerator(self.networks["decoder"], float(self._noise.detach()), self.dimension)

    @property
    def _noise(self) -> Tensor:
        return self.networks.log_noise.exp() + _LEAST_NOISE

    def compute_terms(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """-log p(x|z) for z = mu + sigma * eps, and KL(q(z|x) || N(0, I)): means over rows, nats.

        Their sum is the negative of the lower bound in Kingma and Welling 2014, eq. 3 and 10, with one z for each row.
        """
        mean, log_variance = self.networks["encoder"](x).chunk(2, dim=1)
        centre = self.networks["decoder"](mean + (0.5 * log_variance).exp() * eps)
        squared = (x - centre).square().sum(dim=1).mean() / self._noise.square()
        reconstruction = 0.5 * squared + self.dimension * (self._noise.log() + 0.5 * math.log(2 * math.pi))
        return reconstruction, losses.kl_to_standard_normal(mean, log_variance).mean()

    def step(self) -> None:
        """One step on fresh draws.

        Raises Diverged when the loss is no longer a finite number.
        """
        x, eps = self.sampler.sample_real(self.batch), self.sampler.sample_normal(self.batch)
        reconstruction, kl = self.compute_terms(x, eps)
        row = float(reconstruction.detach()), float(kl.detach())
        if not all(map(math.isfinite, row)):
            raise Diverged("The VAE's loss is no longer a finite number: choose other data, or another seed.")
        self.player.descend(reconstruction + kl)
        self.history.append(row)


def train(settings: Settings, on_progress: Callable[[float], bool | None] | None = None) -> Comparison | None:
    """Train a VAE and a GAN on the same data, and compare them; reproducible.

    `on_progress` gets the share that is done, `N_FRAMES` times; training ends with None when it returns True.
    Raises Diverged when a loss is no longer a finite number.
    """
    vae, game = SmallVAE(settings), gan_game.Game(settings.game)
    frames: dict[str, list[np.ndarray]] = {VAE: [], GAN: []}
    n, done = min(_MOST_IN_FRAME, settings.n_samples), 0
    for end in np.linspace(0, settings.steps, N_FRAMES + 1).astype(int):
        for _ in range(done, end):
            vae.step()
        gan_game.play_rounds(game, end - done)
        for name, generator in ((VAE, vae.generator), (GAN, game.generator)):
            frames[name].append(generator.sample(n, np.random.default_rng(settings.seed)).astype(np.float32))
        done = end
        if done and on_progress is not None and on_progress(float(done / settings.steps)):
            return None
    players = [row["loss"] for row in game.history]
    return _compare(
        settings,
        {VAE: vae.generator, GAN: game.generator},
        {name: np.stack(rows) for name, rows in frames.items()},
        {VAE: np.array(vae.history, np.float32), GAN: np.array(players, np.float32).reshape(-1, 2)},
    )


def _compare(
    settings: Settings, generators: Mapping[str, NoisyGenerator], frames: dict[str, Any], history: dict[str, Any]
) -> Comparison:
    from core.metrics.generation import RealRows

    mixture, n = settings.game.mixture, settings.n_samples
    rng = np.random.default_rng(settings.seed)
    rows = RealRows(mixture.sample(n, rng))
    floor = rows.precision_recall(mixture.sample(n, rng))
    samples = {name: generator.sample(n, rng) for name, generator in generators.items()}
    return Comparison(
        real=rows.real.astype(np.float32),
        samples={name: drawn.astype(np.float32) for name, drawn in samples.items()},
        frames=frames,
        history=history,
        noise={name: generator.noise for name, generator in generators.items()},
        scores={name: score(mixture, generators[name], rows, samples[name]) for name in generators},
        floor={name: floor[name] for name in _FLOOR},
    )


def _estimate_log_density(generator: Distribution, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """log q(x) of rows, (n,), and how far its mean may be off.

    The logarithm of a mean over codes is too low where hardly any code leads, so half of them are spread wider. It then
    still changes with their number, by about as much again as it changed from a quarter of the codes.
    """
    if not isinstance(generator, NoisyGenerator):
        return generator.log_density(rows), 0.0
    values, coarse = (generator.log_density(rows, n, reach=_CODE_REACH) for n in (_N_CODES, _N_CODES // 4))
    return values, abs(float((values - coarse).mean()))


def score(mixture: Mixture, generator: Distribution, rows: Any, samples: np.ndarray) -> Scores:
    """Compare samples (n, 2) of a generator with a mixture and `generation.RealRows` of it."""
    p_on_real, p_on_samples = mixture.log_density(rows.real), mixture.log_density(samples)
    (q_on_real, error_on_real), (q_on_samples, error_on_samples) = (
        _estimate_log_density(generator, each) for each in (rows.real, samples)
    )
    missing, straying = map(Estimate.from_draws, (p_on_real - q_on_real, q_on_samples - p_on_samples))
    js = density_comparison.estimate_jensen_shannon(mixture, generator, len(samples))
    shares = rows.precision_recall(samples)
    return Scores(
        precision=shares["precision"],
        recall=shares["recall"],
        inside=float((p_on_samples >= mixture.compute_log_threshold(_REGION)).mean()),
        reached=float((q_on_real >= np.quantile(q_on_samples, 1 - _REGION)).mean()),
        modes=density_comparison.compute_mode_coverage(mixture, samples),
        missing=missing.value,
        missing_error=math.hypot(missing.error, error_on_real),
        straying=straying.value,
        straying_error=math.hypot(straying.error, error_on_samples),
        jensen_shannon=js.value,
        jensen_shannon_error=js.error,
    )
