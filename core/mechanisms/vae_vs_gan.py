"""A VAE and a GAN on the same two-dimensional data: blurred covering against sharp missing.

Both have a generator of one form, x = G(z) + noise * eps, so both have a density, and the two ways in which it can be
wrong are numbers: KL(p || q) is large where data are missed, KL(q || p) where samples lie off the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

from core.errors import BadInput, Diverged
from core.mechanisms import density_comparison, gan_game, toy_networks
from core.mechanisms.density_comparison import Distribution
from core.mechanisms.gaussian_mixtures import Mixture
from core.mechanisms.toy_networks import NoisyGenerator, Player, Sampler
from core.nn import losses
from core.types import Param, check_params

VAE, GAN = "vae", "gan"
MODELS = (VAE, GAN)
N_FRAMES = 12
_REGION = 0.99
_VAE_RATE, _VAE_MOMENTUM = 0.002, 0.9
_LEAST_NOISE = 0.05

PARAMS = (
    Param("steps", 2000, (N_FRAMES, 10_000), "Steps of the VAE and rounds of the GAN."),
    Param("width", 64, (2, 256), "Units in each of the two hidden layers of every network."),
    Param("batch", 128, (8, 1024), "Rows a step."),
    Param("n_samples", 1000, (50, 5000), "Samples of each model and real rows that are compared."),
    Param("seed", 0, (0, 2**31 - 1), "Of the weights at the start and of all draws."),
)


@dataclass(frozen=True)
class Settings:
    """What both are trained on and for how long, see `PARAMS`; `target` is a name in `TARGETS` or a mixture, 2-D."""

    target: str | Mixture = "ring"
    steps: int = 2000
    width: int = 64
    batch: int = 128
    n_samples: int = 1000
    seed: int = 0

    @property
    def game(self) -> gan_game.Settings:
        """The GAN's settings: a discriminator that draws sharp edges, as those of images do."""
        return gan_game.Settings(
            self.target, discriminator_rate=0.002, waves=4, width=self.width, batch=self.batch, seed=self.seed
        )

    def validate(self) -> Settings:
        """These settings, each number of its type.

        Raises BadInput for a value that `PARAMS` does not allow, unknown data, or data that are not 2-D.
        """
        given = {param.name: getattr(self, param.name) for param in PARAMS}
        found = replace(self, **check_params(PARAMS, given, "the comparison"))
        if found.game.mixture.dimension != 2:
            raise BadInput("A VAE and a GAN are compared on two-dimensional data: choose such data, or draw some.")
        return found


@dataclass(frozen=True)
class Scores:
    """How a model's samples compare with the data.

    Attributes
    ----------
    precision, recall : Kynkäänniemi et al. 2019, k = 3, at equal n; in [0, 1]
    inside : share of samples within the smallest region that holds 99% of the data's density; 0.99 were ideal
    reached : share of real rows within the smallest region that holds 99% of the model's density; 0.99 were ideal
    modes : see `core.mechanisms.density_comparison.compute_mode_coverage`
    missing : KL(p || q) in nats, from real rows, with its standard error `missing_error`; what likelihood fights
    straying : KL(q || p) in nats, from samples, with its standard error `straying_error`
    jensen_shannon : JS(p, q) in nats, with its standard error `jensen_shannon_error`
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
    frames : model -> (N_FRAMES + 1, m, 2) samples of the same codes as training went on, the first before any step
    history : model -> (steps, 2); the VAE's reconstruction and KL in nats a row, whose sum is the negative evidence
        lower bound; the GAN's losses of discriminator and generator in nats
    noise : model -> deviation of the generator's noise: learned by the VAE, fixed for the GAN
    scores : model -> `Scores`
    floor : precision and recall of other real rows, what a perfect model would get at this n
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
        found = {"real": self.real}
        for model in MODELS:
            found |= {f"{model}.{name}": getattr(self, name)[model] for name in ("samples", "frames", "history")}
            found[f"{model}.noise"] = np.array(self.noise[model])
            found |= {f"{model}.scores.{name}": np.array(value) for name, value in asdict(self.scores[model]).items()}
        return found | {f"floor.{name}": np.array(value) for name, value in self.floor.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Comparison:
        """From what `to_arrays` returned.

        Raises BadInput if one of them is not there.
        """
        try:
            return cls(
                arrays["real"],
                *({model: arrays[f"{model}.{name}"] for model in MODELS} for name in ("samples", "frames", "history")),
                noise={model: float(arrays[f"{model}.noise"]) for model in MODELS},
                scores={model: _parse_scores(arrays, f"{model}.scores.") for model in MODELS},
                floor={name: float(arrays[f"floor.{name}"]) for name in ("precision", "recall")},
            )
        except KeyError as error:
            raise BadInput(
                f"These arrays are no comparison of a VAE and a GAN: {error} is missing; train anew."
            ) from None


def _parse_scores(arrays: Mapping[str, np.ndarray], prefix: str) -> Scores:
    return Scores(**{name: float(arrays[prefix + name]) for name in Scores.__dataclass_fields__})


class SmallVAE:
    """A VAE with a 2-D code and a Normal output of one learned deviation.

    Attributes
    ----------
    generator : the decoder as it is, with its noise; it goes on learning with the VAE
    history : a row a step: reconstruction and KL, in nats a row
    """

    def __init__(self, settings: Settings):
        import torch
        from torch import nn

        game = settings.game
        random = torch.Generator().manual_seed(settings.seed)
        self.batch, self.dimension = settings.batch, game.mixture.dimension
        self.networks = nn.ModuleDict(
            {
                "decoder": gan_game.make_generator(game, random),
                "encoder": toy_networks.make_network(self.dimension, 2 * self.dimension, settings.width, random),
            }
        )
        self.networks.register_parameter("log_noise", nn.Parameter(torch.zeros(())))
        self.player = Player(self.networks, _VAE_RATE, _VAE_MOMENTUM)
        self.sampler = Sampler(game.mixture, 0.0, random)
        self.history: list[tuple[float, float]] = []

    @property
    def generator(self) -> NoisyGenerator:
        return NoisyGenerator(self.networks["decoder"], float(self._noise.detach()), self.dimension)

    @property
    def _noise(self) -> Tensor:
        # Below this a generator's density could not be estimated from a few thousand codes.
        return self.networks.log_noise.exp() + _LEAST_NOISE

    def compute_terms(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """Negative log likelihood of x given z = mu + sigma * eps, and KL(q(z|x) || N(0, I)): nats, means over rows.

        Their sum is the negative of the lower bound in Kingma and Welling 2014, eq. 3 and 10, with one draw of z a row.

        Parameters
        ----------
        x, eps : (n, 2)
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
        reconstruction, kl = self.compute_terms(
            self.sampler.sample_real(self.batch), self.sampler.sample_normal(self.batch)
        )
        row = float(reconstruction.detach()), float(kl.detach())
        if not all(map(math.isfinite, row)):
            raise Diverged("The VAE's loss is no longer a finite number: choose other data, or another seed.")
        self.player.descend(reconstruction + kl)
        self.history.append(row)


class _GAN:
    """The GAN, trained as the VAE is: by `step`."""

    def __init__(self, settings: Settings):
        self.game = gan_game.begin_game(settings.game)

    @property
    def generator(self) -> NoisyGenerator:
        return self.game.generator

    @property
    def history(self) -> list[tuple[float, float]]:
        losses = [row["loss"] for row in self.game.history]
        return list(zip(losses[::2], losses[1::2], strict=True))

    def step(self) -> None:
        gan_game.play_rounds(self.game, 1)


def train(
    settings: Settings, on_progress: Callable[[float, dict[str, np.ndarray]], bool | None] | None = None
) -> Comparison | None:
    """Train a VAE and a GAN on the same data, side by side, and compare them.

    Parameters
    ----------
    on_progress : called with the share that is done, above 0 and at most 1, and both models' samples as they are, (m,
        2) each, `N_FRAMES` times; training ends when it returns True

    Returns Comparison, the same for the same settings; None where `on_progress` ended it

    Raises
    ------
    BadInput
        See `Settings.validate`.
    Diverged
        When a loss is no longer a finite number.
    """
    settings = settings.validate()
    models = {VAE: SmallVAE(settings), GAN: _GAN(settings)}
    frames = {name: [_sample_frame(model.generator, settings)] for name, model in models.items()}
    ends = np.linspace(0, settings.steps, N_FRAMES + 1).astype(int)
    for i in range(N_FRAMES):
        for name, model in models.items():
            for _ in range(ends[i], ends[i + 1]):
                model.step()
            frames[name].append(_sample_frame(model.generator, settings))
        share = float(ends[i + 1] / settings.steps)
        if on_progress is not None and on_progress(share, {name: frames[name][-1] for name in MODELS}):
            return None
    return _compare(settings, models, {name: np.stack(frames[name]) for name in MODELS})


def _sample_frame(generator: NoisyGenerator, settings: Settings) -> np.ndarray:
    n = min(500, settings.n_samples)
    return generator.sample(n, np.random.default_rng(settings.seed)).astype(np.float32)


def _compare(settings: Settings, models: Mapping[str, Any], frames: dict[str, np.ndarray]) -> Comparison:
    from core.metrics.generation import RealRows

    mixture, n = settings.game.mixture, settings.n_samples
    rng = np.random.default_rng(settings.seed)
    rows = RealRows(mixture.sample(n, rng))
    floor = rows.precision_recall(mixture.sample(n, rng))
    generators = {name: model.generator for name, model in models.items()}
    samples = {name: generator.sample(n, rng) for name, generator in generators.items()}
    return Comparison(
        real=rows.real.astype(np.float32),
        samples={name: drawn.astype(np.float32) for name, drawn in samples.items()},
        frames=frames,
        history={name: np.array(model.history, np.float32) for name, model in models.items()},
        noise={name: generator.noise for name, generator in generators.items()},
        scores={name: _score(mixture, generators[name], rows, samples[name]) for name in models},
        floor={name: floor[name] for name in ("precision", "recall")},
    )


def _score(mixture: Mixture, generator: Distribution, rows: Any, samples: np.ndarray) -> Scores:
    shares = rows.precision_recall(samples)
    p_on_real, p_on_samples = mixture.log_density(rows.real), mixture.log_density(samples)
    q_on_real, q_on_samples = generator.log_density(rows.real), generator.log_density(samples)
    missing, straying = p_on_real - q_on_real, q_on_samples - p_on_samples
    js = density_comparison.estimate_jensen_shannon(mixture, generator, len(samples))
    return Scores(
        precision=shares["precision"],
        recall=shares["recall"],
        inside=float((p_on_samples >= mixture.compute_log_threshold(_REGION)).mean()),
        reached=float((q_on_real >= np.quantile(q_on_samples, 1 - _REGION)).mean()),
        modes=density_comparison.compute_mode_coverage(mixture, samples),
        missing=float(missing.mean()),
        missing_error=_standard_error(missing),
        straying=float(straying.mean()),
        straying_error=_standard_error(straying),
        jensen_shannon=js.value,
        jensen_shannon_error=js.error,
    )


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))
