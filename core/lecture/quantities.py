"""Named quantities that exercises compare: each is computed from stored runs or by a concept demo's own functions.

A quantity is a function of keyword parameters; their annotations say what an exercise's file may give.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from core import datasets, methods
from core.errors import BadInput
from core.runs import selection
from core.types import Run

Size = Annotated[int, Field(ge=1, le=256)]
Seed = Annotated[int, Field(ge=0, le=9999)]
Deviation = Annotated[float, Field(gt=0, le=10)]
Labels = Annotated[int, Field(ge=1, le=1_000_000)]
Budget = Literal["matched", "best effort"]
Codes = Literal["", "normal", "standardised", "gaussian", "mixture"]

_ROWS = 64  # of the concept demo Naive sampling
_ELBO_SIZE, _ELBO_NOISE = 4, 0.5  # of the concept demo ELBO
_MU = 1.0  # of the concept demo Reparameterization, in every dimension
_STARTS = 4  # of the concept demo Divergences


def find_run(data: str, method: str, size: int, budget: str = selection.MATCHED) -> Run:
    """The stored run that the pages show first for a view and budget; raises BadInput without one."""
    from core.runs import reader, store

    entry = datasets.entry(data)
    if method not in methods.compared(entry.kind):
        allowed = ", ".join(methods.compared(entry.kind))
        raise BadInput(f"The method “{method:.40}” is not compared on {entry.label}; allowed are {allowed}.")
    stored = store.list_runs()[0]
    candidates = {name: selection.select_runs(stored, data, name, size) for name in methods.compared(entry.kind)}
    if not (key := selection.leading(candidates, budget).get(method)):
        raise BadInput(f"No run of {methods.label(method)} with {size} latent dimensions is stored on {entry.label}.")
    return reader.read_run(store.find_place(key))


def _read_metric(run: Run, name: str) -> float:
    if name not in run.metrics:
        raise BadInput(f"A run of {methods.label(run.spec.method)} on {run.spec.dataset} has no “{name:.40}”.")
    return float(run.metrics[name].value)


def reconstruction_error(data: str, method: str, size: Size, budget: Budget = "matched") -> float:
    """Mean reconstruction error over the test rows, in the measure that the pages compare methods by."""
    from core.metrics.reconstruction_error import choose_measure
    from core.types import Form

    run = find_run(data, method, size, budget)
    mean = choose_measure(Form.from_json(run.environment)).find_mean(run)
    if mean is None:
        raise BadInput(f"{methods.label(method)} reconstructs no rows of {data}.")
    return float(mean.value)


def pca_dimensions(data: str, method: str, size: Size, budget: Budget = "matched") -> float:
    """Fewest principal components with at most the reconstruction error of a method's run."""
    from core.metrics import pca_spectrum

    errors = find_run(data, "pca", size).views["error_by_size"].astype(np.float64)
    found = pca_spectrum.find_size(errors, reconstruction_error(data, method, size, budget))
    if found is None:
        raise BadInput(f"PCA does not reach the error of {methods.label(method)} at {size} dimensions on {data}.")
    return float(found)


def knn_accuracy(data: str, method: str, size: Size) -> float:
    """Accuracy of a k-nearest-neighbour classifier on the latent codes, in [0, 1]."""
    return _read_metric(find_run(data, method, size), "knn_accuracy")


def frechet_distance(data: str, method: str, size: Size, codes: Codes = "") -> float:
    """Fréchet distance of samples and data; `codes`: what random codes are drawn from, "" for the usual."""
    return _read_metric(find_run(data, method, size), f"{codes}.frechet" if codes else "frechet")


def _read_errors(data: str) -> dict[str, dict[int, dict[int, float]]]:
    """Approach -> number of labels -> seed -> test error, of one's own results and the shipped ones."""
    from core.semi_supervised import results

    files = (results.results_path(data, folder) for folder in (None, results.SHIPPED))
    return _read_errors_of(data, tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files))


@lru_cache(maxsize=4)
def _read_errors_of(data: str, changed_at: tuple[int, ...]) -> dict[str, dict[int, dict[int, float]]]:
    from core.semi_supervised import results

    return results.group_errors(results.read_results(data).rows)


def _get_errors(data: str, approach: str) -> dict[int, dict[int, float]]:
    errors = _read_errors(datasets.entry(data).name)
    if approach not in errors:
        raise BadInput(f"No results of “{approach:.40}” on {data}; there are {', '.join(errors) or 'none'}.")
    return errors[approach]


def test_error(data: str, approach: str, labels: Labels) -> float:
    """Test error of an approach trained with this many labels, mean over seeds, in [0, 1]."""
    from core.semi_supervised import statistics

    errors = statistics.interpolate_errors(_get_errors(data, approach), labels)
    if not errors:
        raise BadInput(f"“{approach}” was not measured on {data} with about {labels:,} labels.")
    return statistics.estimate_mean(errors).mean


def labels_needed(data: str, approach: str, baseline: str, labels: Labels) -> float:
    """Labels with which the baseline has the mean test error that an approach has with `labels`."""
    from core.semi_supervised import statistics

    errors = statistics.interpolate_errors(_get_errors(data, approach), labels)
    worth = statistics.estimate_labels_worth(errors, _get_errors(data, baseline)).labels
    if not 0 < worth < np.inf:
        raise BadInput(f"“{baseline}” was not measured at the error of “{approach}” with {labels:,} labels on {data}.")
    return worth


def contributing_pairs(
    size: Annotated[int, Field(ge=1, le=16)],
    noise: Deviation,
    codes: Annotated[int, Field(ge=2, le=1024)] = 256,
    proposal: Literal["prior", "encoder"] = "prior",
    spread: Deviation = 1.3,
    seed: Seed = 0,
) -> float:
    """Share of the pairs (z, x) that make up 99% of the gradient, in (0, 1]: concept demo Naive sampling."""
    from core.mechanisms import linear_gaussian, naive_sampling

    model, rng = linear_gaussian.make_example(size, noise), np.random.default_rng([seed, 0])
    X, _ = model.sample(_ROWS, rng)
    Z = rng.standard_normal((codes, size))
    if proposal == "prior":
        return naive_sampling.weigh_pairs(model, X, Z).share
    proposed = naive_sampling.Encoder(spread).propose(model, X, codes, rng)
    return naive_sampling.weigh_pairs(model, X, *proposed).share


def elbo_term(
    term: Literal["reconstruction", "kl", "gap", "elbo", "log_marginal"],
    spread: Deviation,
    shift: Annotated[float, Field(ge=0, le=10)] = 0.0,
    seed: Seed = 0,
) -> float:
    """A term of the lower bound of one row, in nats: concept demo ELBO."""
    from core.mechanisms import elbo, linear_gaussian
    from core.mechanisms.naive_sampling import Encoder

    model = linear_gaussian.make_example(_ELBO_SIZE, _ELBO_NOISE)
    x = model.sample(1, np.random.default_rng([seed, 0]))[0][0]
    return float(getattr(elbo.compute_bound(model, x, Encoder(spread, shift)), term))


def active_dimensions(beta: Annotated[float, Field(gt=0, le=1000)], noise: Deviation, data: str = "digits") -> float:
    """Latent dimensions that the best linear VAE uses, of all: concept demo ELBO, posterior collapse."""
    from core.mechanisms.elbo import LinearVAE
    from core.metrics import pca_spectrum

    spectrum = pca_spectrum.decompose(datasets.load(data).floats("train"))
    return float(LinearVAE(spectrum.variances, noise, beta).active.sum())


def variance_ratio(
    f: Literal["quadratic", "sines"],
    size: Annotated[int, Field(ge=1, le=256)],
    sigma: Deviation,
    a: Annotated[float, Field(ge=-10, le=10)] = 0.0,
    w: Annotated[float, Field(gt=0, le=100)] = 1.0,
) -> float:
    """Variance of the score function's gradient over the reparameterized one's: concept demo Reparameterization."""
    from core.mechanisms.gradient_estimators import Quadratic, Sines

    return float((Quadratic(a) if f == "quadratic" else Sines(w)).ratio(np.full(size, _MU), sigma))


def codes_in_region(data: str, method: str, what: Literal["codes", "prior"]) -> float:
    """Share in [0, 1] of the 2-D codes in N(0, I)'s 95% region, or of N(0, I) in theirs: demo AE as generator."""
    from core.mechanisms.random_codes import Region

    codes = np.asarray(find_run(data, method, 2).views["map"], np.float64)
    codes = codes[np.isfinite(codes).all(axis=1)]
    if what == "prior":
        return Region.fit(codes).compute_normal_share()
    return float(Region(np.zeros(2), np.eye(2)).contains(codes).mean())


def fitted_gaussian(
    divergence: Literal["forward", "reverse", "js"],
    value: Literal["mean", "deviation", "divergence"],
    apart: Annotated[float, Field(gt=0, le=8)] = 4.0,
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.6,
    width: Deviation = 0.8,
    pi: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    starts: Annotated[int, Field(ge=1, le=8)] = _STARTS,
    seed: Seed = 0,
) -> float:
    """Of the Gaussian fitted to two modes `apart`: concept demo Divergences, in 1-D."""
    from core.mechanisms import divergences
    from core.mechanisms.gaussian_mixtures import Mixture

    target = Mixture.from_means(np.array([[-apart / 2], [apart / 2]]), [width, 0.6], [weight, 1 - weight])
    initial = np.random.default_rng(seed).uniform(-4, 4, (8, 1))[:starts]
    best = divergences.fit_gaussian(target, divergence, initial, pi=pi)[0]
    numbers = {"mean": best.gaussian.mean[0], "deviation": np.sqrt(best.gaussian.covariance[0, 0])}
    return float({**numbers, "divergence": best.value}[value])


def samples_score(
    model: str,
    score: Literal["precision", "recall", "inside", "reached", "modes", "missing", "straying", "jensen_shannon"],
    data: str = "ring",
    steps: Annotated[int, Field(ge=1, le=4000)] = 2000,
    seed: Seed = 0,
) -> float:
    """A score of a VAE or GAN on data in the plane, see `core.mechanisms.vae_vs_gan.Scores`."""
    from core.mechanisms.vae_vs_gan import MODELS, Settings
    from core.tasks import vae_vs_gan_training

    if model not in MODELS:
        raise BadInput(f"The model “{model:.40}” is not compared; allowed are {', '.join(MODELS)}.")
    key = vae_vs_gan_training.comparison_key(Settings(data, steps=steps, seed=seed))
    if (comparison := vae_vs_gan_training.find_comparison(key)) is None:
        raise BadInput(f"The VAE and the GAN on “{data:.40}” with {steps:,} steps and seed {seed} are not trained yet.")
    return float(getattr(comparison.scores[model], score))


def game_score(
    preset: str,
    value: Literal["js", "disagreement", "on_real", "on_generated", "coverage", "slope", "spread", "offset"],
    at: Literal["first", "last"] = "last",
) -> float:
    """A number of a finished game, see `core.mechanisms.finished_games.FinishedGame`: concept demo GAN game."""
    from core.mechanisms import finished_games

    if preset not in finished_games.GAMES:
        raise BadInput(f"There is no game “{preset:.40}”; allowed are {', '.join(finished_games.GAMES)}.")
    score = float(getattr(finished_games.read_finished(preset), value)[0 if at == "first" else -1])
    if np.isnan(score):
        raise BadInput(f"The game “{preset}” has no {value}.")
    return score


QUANTITIES: dict[str, Callable[..., float]] = {
    function.__name__: function
    for function in (
        reconstruction_error,
        pca_dimensions,
        knn_accuracy,
        frechet_distance,
        test_error,
        labels_needed,
        contributing_pairs,
        elbo_term,
        active_dimensions,
        variance_ratio,
        codes_in_region,
        fitted_gaussian,
        samples_score,
        game_score,
    )
}


@cache
def _make_schema(name: str) -> type[BaseModel]:
    """The pydantic model of a quantity's parameters."""
    function = QUANTITIES[name]
    hints = get_type_hints(function, include_extras=True)
    fields = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    }
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=False), **fields)


def describe_problem(problem: Mapping[str, Any]) -> str:
    """What is allowed, in words, from one of the errors of a pydantic ValidationError."""
    limits, kind = problem.get("ctx", {}), problem["type"]
    words = {
        "missing": "it is missing",
        "int_parsing": "it must be a whole number",
        "int_from_float": "it must be a whole number",
        "int_type": "it must be a whole number",
        "float_parsing": "it must be a number",
        "float_type": "it must be a number",
        "string_type": "it must be a text in quotes",
        "too_short": "it needs at least {min_length}, and has {actual_length}",
        "too_long": "it has more than {max_length}",
        "string_too_short": "it is empty",
        "string_too_long": "it has more than {max_length} letters",
        "greater_than": "it must be above {gt}",
        "greater_than_equal": "it must be at least {ge}",
        "less_than": "it must be below {lt}",
        "less_than_equal": "it must be at most {le}",
        "literal_error": "it must be {expected}",
        "list_type": "it must be a list",
        "model_type": "it must be a table with fields of its own",
        "dict_type": "it must be a table with fields of its own",
    }
    return words[kind].format(**limits) if kind in words else problem["msg"].removeprefix("Value error, ")


def check(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the quantity takes them, with its defaults; ValueError says which is not allowed."""
    try:
        return dict(_make_schema(name).model_validate(dict(parameters)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where, message = ".".join(map(str, first["loc"])), describe_problem(first)
        if first["type"] == "missing":
            raise BadInput(f"the parameter “{where:.40}” of {name} is missing") from None
        if first["type"] == "extra_forbidden":
            message = f"it takes {', '.join(_make_schema(name).model_fields)}"
        raise BadInput(f"the parameter “{where:.40}” of {name} is not allowed ({message:.200})") from None


def compute(name: str, parameters: Mapping[str, Any]) -> float:
    """The value of a quantity; raises BadInput for parameters that it can't take."""
    return QUANTITIES[name](**check(name, parameters))


def describe(name: str) -> str:
    """``"knn_accuracy(data, method, size): Accuracy of ..."``; parameters in brackets may be left out."""
    fields = _make_schema(name).model_fields.items()
    listed = ", ".join(key if field.is_required() else f"[{key}]" for key, field in fields)
    return f"{name}({listed}): {(QUANTITIES[name].__doc__ or '').splitlines()[0]}"
