"""The section Samples: what each decoder makes of random codes, and how near that comes to the data."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from core import datasets, generating, samplers, store
from core.figures import rasters
from core.metrics import DEFINITIONS, memory
from core.types import BadInput, BrokenRun, HourglassError, Run
from core.views import pixels
from pages.ui import choices, nav, rebuilders
from pages.ui.compare import View
from pages.ui.loaded import dataset, estimator, offer_download
from pages.ui.numbers import counted, interval, number
from pages.ui.pictures import image
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, html, listed, plain

# In the order of the lecture's question: what happens if we pick a random z?
_SHOWN = (
    ("pca", samplers.GAUSSIAN),
    ("ae", samplers.NORMAL),
    ("ae", samplers.STANDARDISED),
    ("ae", samplers.GAUSSIAN),
    ("ae", samplers.MIXTURE),
    ("vae", samplers.NORMAL),
    ("gan", samplers.NORMAL),
)
_NAMES = {
    ("pca", samplers.GAUSSIAN): (
        "PCA, one Gaussian",
        "fitted to the training codes (probabilistic PCA)",
    ),
    ("ae", samplers.NORMAL): ("AE, N(0, I) raw", "naive: codes as if the AE had a prior"),
    ("ae", samplers.STANDARDISED): ("AE, N(0, I) scaled", "naive: each number given its mean and deviation"),
    ("ae", samplers.GAUSSIAN): ("AE, one Gaussian", "fitted to the training codes"),
    ("ae", samplers.MIXTURE): ("AE, mixture", "of ten Gaussians, fitted to the training codes"),
    ("vae", samplers.NORMAL): ("VAE, prior", "N(0, I), which it was trained with"),
    ("gan", samplers.NORMAL): ("GAN, prior", "N(0, I), which it was trained with"),
}
_COUNT, _COLUMNS = 32, 8
_LARGEST_SEED = 9999
_NO_TRUNCATION = 5.0
_MEASURES = ("frechet", "precision", "recall", "coverage", "copies")


@dataclass(frozen=True)
class Prior:
    """How codes are drawn: the same for every sampler shown."""

    seed: int
    temperature: float
    truncation: float

    @property
    def is_plain(self) -> bool:
        return self.temperature == 1 and self.truncation == _NO_TRUNCATION


@dataclass(frozen=True)
class Sampled:
    """One sampler of one run."""

    line: Line
    kind: str

    @property
    def label(self) -> str:
        return _NAMES[self.line.method, self.kind][0]

    @property
    def about(self) -> str:
        return _NAMES[self.line.method, self.kind][1]

    @property
    def key(self) -> str:
        return f"{self.line.method}-{self.kind}"

    @property
    def size(self) -> int:
        return store.code_size(self.line.run)

    @cached_property
    def figures(self) -> dict[str, Any]:
        return generating.figures_of(self.line.run, self.kind)

    def drawn(self, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n, n_components) and images (n, n_features) uint8."""
        return _drawn(self.line.stamp, self.kind, prior, self.line.run)


@st.cache_data(max_entries=256, show_spinner=False)
def _drawn(stamp: Stamp, kind: str, prior: Prior, _run: Run) -> tuple[np.ndarray, np.ndarray]:
    fitted = estimator(stamp)
    sampler = generating.sampler_of(_run, kind, fitted)
    truncation = None if prior.truncation == _NO_TRUNCATION else prior.truncation
    Z = sampler.sample(_COUNT, prior.seed, temperature=prior.temperature, truncation=truncation)
    return Z.astype(np.float32), pixels(fitted.inverse_transform(Z))


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    explained = st.empty()
    view = replace(view, lines=tuple(line for line in view.lines if line.method in {method for method, _ in _SHOWN}))
    if not any(line.run or line.problem for line in view.lines):
        _explain_nothing(explained, view)
        return
    prior = _prior(problems)
    with st.spinner("Decoding random codes …"):
        shown, refused = _shown(view, prior)
    if not shown:
        rebuilders.reasons(refused)
        _explain_nothing(explained, view)
        return
    explained.markdown(
        plain(
            "What happens if we pick a random z? Each decoder gets random codes, drawn as it says under its name. Look "
            f"for images that could be from {view.entry.label}, for variety, and for what could not."
        )
    )
    opened = _cards(shown, prior, view)
    st.markdown(plain(_verdict(shown, view.size)))
    rebuilders.reasons(refused)
    rebuilders.absent(view)
    st.subheader("How near the samples come to the data", anchor=False)
    counts = _same_counts(shown)
    st.html(_table(shown, counts))
    st.caption(plain(_conditions(shown, prior, counts)))
    _how()
    _classes(shown)
    _memory(shown)
    _download(shown, prior, view)
    if opened is not None:
        _enlarged(opened, prior, view, problems)


def _explain_nothing(explained: Any, view: View) -> None:
    explained.markdown(
        plain(f"No method that draws samples can be shown for {view.entry.label} with a {view.size}-D code yet.")
    )
    rebuilders.absent(view)


def _shown(view: View, prior: Prior) -> tuple[list[Sampled], dict[str, str]]:
    """What can be drawn, and by label why the rest can not."""
    lines = {line.method: line for line in view.lines}
    found: list[Sampled] = []
    refused: dict[tuple[str, str], list[str]] = {}
    for method, kind in _SHOWN:
        line = lines.get(method)
        if line is None or (line.run is None and not line.problem):
            continue
        try:
            if line.problem:
                raise BrokenRun(line.problem)
            each = Sampled(line, kind)
            each.drawn(prior)
            found.append(each)
        except HourglassError as problem:
            refused.setdefault((method, str(problem)), []).append(_NAMES[method, kind][0].partition(", ")[2])
    return found, {_refused(lines[method], names): why for (method, why), names in refused.items()}


def _refused(line: Line, names: Sequence[str]) -> str:
    """What can't be drawn for one reason: a method, or some of its samplers."""
    of_method = sum(method == line.method for method, _ in _SHOWN)
    return line.label if len(names) == of_method else f"{line.label} with {listed(list(names))}"


# --- How codes are drawn ------------------------------------------------------------------------------------------


def _prior(problems: list[str]) -> Prior:
    with st.container(key="prior", horizontal=True, vertical_alignment="bottom"):
        seed = int(_number("seed", 0, 0, _LARGEST_SEED, problems))
        st.session_state[choices.key("seed")] = seed
        seed = int(
            st.number_input(
                "Seed",
                0,
                _LARGEST_SEED,
                key=choices.key("seed"),
                width=130,
                help="The same seed draws the same codes.",
            )
        )
        choices.keep("seed", seed, text=None if seed == 0 else str(seed))
        st.button("Others", key=choices.key("others"), on_click=_another, help="Draw other codes: another seed.")
        temperature = _slider(
            "temperature",
            *samplers.TEMPERATURES,
            1.0,
            0.05,
            problems,
            "Factor of every deviation from the mean: below 1 codes stay near the middle, where decoders are surest; "
            "above 1 they leave the region that was trained.",
        )
        truncation = _slider(
            "truncation",
            0.5,
            _NO_TRUNCATION,
            _NO_TRUNCATION,
            0.1,
            problems,
            "A normal number beyond so many deviations is drawn again (Brock et al. 2019); at 5 it is off.",
        )
    return Prior(seed, temperature, truncation)


def _another() -> None:
    widget = choices.key("seed")
    st.session_state[widget] = (int(st.session_state[widget]) + 1) % (_LARGEST_SEED + 1)


def _slider(name: str, low: float, high: float, default: float, step: float, problems: list[str], help: str) -> float:
    widget = choices.key(name)
    st.session_state[widget] = round(_number(name, default, low, high, problems), 2)
    # Only truncation has an end at which it does nothing.
    label = f"{name.capitalize()} ({high:g}: off)" if default == high else name.capitalize()
    value = st.slider(label, low, high, step=step, key=widget, width=200, help=help)
    choices.keep(name, value, text=None if value == default else f"{value:g}")
    return value


def _number(name: str, default: float, low: float, high: float, problems: list[str]) -> float:
    """A number of the address, of the widget, or of before."""
    asked = choices.asked(name)
    if asked is not None:
        try:
            value = float(asked)
            if not low <= value <= high:
                raise ValueError
            return value
        except ValueError:
            problems.append(
                f"The link asks for a {name} that is no number from {low:g} to {high:g}: {default:g} is used."
            )
            return default
    known = st.session_state.get(choices.key(name), choices.remembered(name))
    return default if known is None else known


# --- Pictures -----------------------------------------------------------------------------------------------------


def _cards(shown: Sequence[Sampled], prior: Prior, view: View) -> Sampled | None:
    """Draw the sheets; returns the one that was clicked, if any was."""
    opened = None
    with st.container(key="sampled", gap=None):
        for each in shown:
            with st.container(key=f"sampled-{each.key}", gap=None):
                st.html(_caption(each, view.size))
                with st.container(key=f"open-sampled-{each.key}", gap=None):
                    st.html(image(_sheet(each, prior, view), f"{_COUNT} samples: {each.label}", "hg-strip"))
                    label = f"Enlarge: {each.label}, with the nearest training images"
                    if st.button(label, key=choices.key(f"open-{each.key}"), type="tertiary"):
                        opened = each
    return opened


def _sheet(each: Sampled, prior: Prior, view: View) -> bytes:
    return _sheet_png(each.line.stamp, each.kind, prior, tuple(each.line.run.environment["image_shape"]), each)


@st.cache_data(max_entries=256, show_spinner=False)
def _sheet_png(stamp: Stamp, kind: str, prior: Prior, shape: tuple[int, int], _each: Sampled) -> bytes:
    return rasters.png(rasters.montage(_each.drawn(prior)[1], shape, _COLUMNS, cell=56, gap=3))


def _caption(each: Sampled, size: int) -> str:
    distance = ""
    if "frechet" in each.figures:
        ends = interval(each.figures, "frechet")
        distance = f'<div>Fréchet {number(each.figures["frechet"])} <span class="hg-note">({ends})</span></div>'
    own = "" if each.size == size else f"; {each.size}-D code, whatever is chosen above"
    about = f'<div class="hg-note">{html(each.about + own)}</div>'
    return f'<div class="hg-caption"><b>{html(each.label)}</b>{distance}{about}</div>'


@st.dialog("Samples, and the nearest training images", width="large")
def _enlarged(each: Sampled, prior: Prior, view: View, problems: list[str]) -> None:
    run = each.line.run
    shape = tuple(run.environment["image_shape"])
    _, images = each.drawn(prior)
    st.markdown(f"**{plain(each.label)}**, {plain(each.about)}; seed {prior.seed}.")
    if not datasets.available(view.entry.name):
        st.html(image(rasters.png(rasters.montage(images, shape, _COLUMNS)), f"Samples: {each.label}", "hg-strip"))
        offer_download(view.entry, problems, " Then the nearest training image stands under each sample.")
        return
    with nav.in_words(), st.spinner("Looking for the nearest training images …"):
        nearest, near = _nearest(each.line.stamp, each.kind, prior, each)
        copies = int(nearest.is_copy.sum())
        st.markdown(
            f"Under each sample the training image nearest to it, and their distance. {_copies(copies, len(images))}"
        )
        st.html(Markup(f'<div class="hg-pairs">{"".join(_pairs(images, near, nearest, shape))}</div>'))
        st.caption(
            "Distance: Euclidean, of pixels in [0, 1]. A copy is nearer to a training image than a third of the "
            "distance to the second nearest (Yoon et al. 2023)."
        )


def _copies(copies: int, n: int) -> str:
    return f"None of these {n} is a copy." if not copies else f"{copies} of these {n} only repeat a training image."


def _pairs(images: np.ndarray, near: np.ndarray, nearest: memory.Nearest, shape: tuple[int, int]) -> list[str]:
    pairs = []
    for k in range(len(images)):
        png = rasters.png(rasters.montage(np.stack([images[k], near[k]]), shape, 1, cell=84))
        distance = nearest.distances[k, 0]
        mark = " <b>copy</b>" if nearest.is_copy[k] else ""
        alt = f"Sample {k + 1} above training row {nearest.rows[k]}, distance {distance:.2f}"
        pairs.append(f'<div class="hg-pair">{image(png, alt, "hg-pair-image")}{distance:.2f}{mark}</div>')
    return pairs


@st.cache_resource(max_entries=32, show_spinner=False)
def _nearest(stamp: Stamp, kind: str, prior: Prior, _each: Sampled) -> tuple[memory.Nearest, np.ndarray]:
    """The training rows nearest to the samples shown, and what they look like."""
    spec = _each.line.run.spec
    loaded = dataset(spec.dataset, spec.dataset_params)
    if loaded.checksum != _each.line.run.environment["data_checksum"]:
        raise BadInput("It was trained on another copy of the data, whose rows are others: train it again.")
    found = memory.nearest_training_rows(_each.drawn(prior)[1] / np.float32(255), loaded.X_train)
    return found, loaded.X_train[found.rows]


# --- Numbers ------------------------------------------------------------------------------------------------------


def _verdict(shown: Sequence[Sampled], size: int) -> str:
    """Which sampler comes nearest to the data, from the figures and their intervals, and who only remembers.

    Parameters
    ----------
    size : the code size that is chosen.
    """
    figures = {each.label: each.figures for each in shown}
    order = generating.ranking(figures)
    if len(order.order) < 2:
        return _repeating(shown)
    sentences = (_nearest_first(shown, order, size), _autoencoders(figures, order), _repeating(shown))
    return " ".join(filter(None, sentences))


def _nearest_first(shown: Sequence[Sampled], order: generating.Ranking, size: int) -> str:
    by_label = {each.label: each for each in shown}

    def named(label: str) -> str:
        own = by_label[label].size
        return label if own == size else f"{label} with {own} numbers"

    def value(label: str) -> str:
        return number(by_label[label].figures["frechet"])

    best, last = by_label[order.order[0]], order.order[-1]
    nearest = f"Fréchet distance {value(best.label)}"
    if not order.is_told:
        tied = listed([named(label) for label in (best.label, *order.tied)])
        return f"Nearest to the test images are {tied} ({nearest}), which the seeds do not tell apart."
    sentence = f"Nearest to the test images comes {named(best.label)} ({nearest})"
    trained = [label for label in order.order[1:] if label.endswith("prior")]
    if not best.label.endswith("prior") and trained:
        rest = listed([f"the {label.split(',')[0]} ({value(label)})" for label in trained])
        sentence += f", ahead of {rest}"
        if best.kind != samplers.NORMAL:
            sentence += ": here a distribution fitted afterwards serves better than one trained with"
    return f"{sentence}; farthest is {last} ({value(last)})."


def _autoencoders(figures: Mapping[str, Mapping[str, Any]], order: generating.Ranking) -> str:
    """The lecture's question, where the ranking leaves it open: does an AE with a mixture do what a VAE does?"""
    mixture, prior = _NAMES["ae", samplers.MIXTURE][0], _NAMES["vae", samplers.NORMAL][0]
    first = {order.order[0], *order.tied}
    is_answered = {mixture, prior} <= first or (order.is_told and order.order[0] == mixture)
    if is_answered or not {mixture, prior} <= set(order.order):
        return ""
    pair = generating.ranking({label: figures[label] for label in (mixture, prior)})
    values = {label: number(figures[label]["frechet"]) for label in pair.order}
    if not pair.is_told:
        return (
            f"Of the two autoencoders, the AE with its mixture ({values[mixture]}) and the VAE with its prior "
            f"({values[prior]}) are not told apart by the seeds."
        )
    if pair.order[0] == mixture:
        return (
            f"Of the two autoencoders, the AE with a mixture fitted afterwards ({values[mixture]}) beats the VAE with "
            f"the prior it was trained with ({values[prior]})."
        )
    return (
        f"Of the two autoencoders, the VAE with the prior it was trained with ({values[prior]}) beats the AE with a "
        f"fitted mixture ({values[mixture]})."
    )


def _floors(shown: Sequence[Sampled]) -> Mapping[str, Any] | None:
    """What training images reach, of the first run that knows."""
    return next((each.line.run.metrics for each in shown if "frechet_floor" in each.line.run.metrics), None)


def _same_counts(shown: Sequence[Sampled]) -> dict[str, int]:
    """Of each measure that is of one number of samples in every line of the table: that number."""
    found = {}
    floors = _floors(shown) or {}
    for name in _MEASURES:
        counts = {each.figures.get(f"{name}_n") for each in shown if name in each.figures}
        if (n := floors.get(f"{name}_floor_n")) is not None:
            counts.add(n)
        if len(counts) == 1 and (n := counts.pop()):
            found[name] = n
    return found


def _table(shown: Sequence[Sampled], counts: Mapping[str, int]) -> Markup:
    head = "".join(f'<th scope="col">{html(DEFINITIONS[name].label)}</th>' for name in _MEASURES)
    rows = [_row(each.label, each.figures, "", counts) for each in shown]
    floors = _floors(shown)
    if floors is not None:
        rows.append(
            _row(
                "Training images, for comparison",
                floors,
                "_floor",
                counts,
                "what a perfect sampler would reach; copies: of test images",
            )
        )
    return Markup(
        '<div class="hg-sideways hg-note">Scroll the table sideways for all measures.</div>'
        f'<div class="hg-wide"><table class="hg-table hg-sampled"><thead><tr><th scope="col">Samples</th>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(label: str, figures: Mapping[str, Any], suffix: str, counts: Mapping[str, int], note: str = "") -> str:
    cells = "".join(f"<td>{_cell(figures, f'{name}{suffix}', name in counts)}</td>" for name in _MEASURES)
    about = f'<div class="hg-note">{html(note)}</div>' if note else ""
    return f'<tr><th scope="row">{html(label)}{about}</th>{cells}</tr>'


def _cell(figures: Mapping[str, Any], name: str, is_counted_below: bool) -> str:
    if name not in figures:
        return '<span class="hg-none">–</span>'
    parts = (interval(figures, name), "" if is_counted_below else counted(figures, name))
    about = "".join(f'<div class="hg-note">{html(part)}</div>' for part in parts if part)
    return f"{number(figures[name])}{about}"


def _counted_below(counts: Mapping[str, int]) -> str:
    """The numbers of samples that the table leaves out, the commonest without its measures' names."""
    if not counts:
        return ""
    values = list(counts.values())
    usual = max(values, key=values.count)
    others = [f"{DEFINITIONS[name].label}: n = {n:,}" for name, n in counts.items() if n != usual]
    return "; ".join([f"n = {usual:,} samples a line", *others]) + ". "


def _conditions(shown: Sequence[Sampled], prior: Prior, counts: Mapping[str, int]) -> str:
    spaces = {each.line.run.notes["features"] for each in shown if "features" in each.line.run.notes}
    where = f"Feature space: {' and '.join(sorted(spaces))}. " if spaces else ""
    changed = "" if prior.is_plain else " They are of temperature 1 without truncation, whatever is chosen above."
    unmeasured = [each.label for each in shown if "frechet" not in each.figures]
    lacking = f" {listed(unmeasured)}: not measured when it was trained." if unmeasured else ""
    return (
        f"{_counted_below(counts)}{where}Means of five seeds with their 95 % interval. The means of p(x|z) are shown "
        f"and measured, not draws.{changed}{lacking}"
    )


def _how() -> None:
    with st.expander("How these are computed"):
        for name in _MEASURES:
            st.markdown(f"**{plain(DEFINITIONS[name].label)}.** {plain(DEFINITIONS[name].help)}")


def _classes(shown: Sequence[Sampled]) -> None:
    shares = {each.label: each.figures["class_shares"] for each in shown if each.figures.get("class_shares")}
    if not shares:
        return
    drawer = st.expander("Classes of the samples", key=choices.key("classes"), on_change="rerun")
    if not drawer.open:
        return
    from core.figures import generated  # plotly: most visits open no figure

    with drawer:
        st.markdown(
            "Which class the shipped classifier names for each sample. A sampler that forgets a class has dropped a "
            "mode; one that favours a class has too much of it."
        )
        views = shown[0].line.run.views
        names = shown[0].line.run.notes.get("target_names", [])
        labels = views.get("labels", np.empty(0, int))
        of_data = {name: float((labels == k).mean()) for k, name in enumerate(names)} if len(labels) else {}
        figure = generated.class_shares(shares, of_data, _methods(shown), nav.theme())
        st.plotly_chart(figure, key=choices.key("class-shares"), config={"displayModeBar": False})


def _methods(shown: Sequence[Sampled]) -> dict[str, str]:
    return {each.label: each.line.method for each in shown}


def _memory(shown: Sequence[Sampled]) -> None:
    drawer = st.expander(
        "Does it only remember? Distances to the training images", key=choices.key("memory"), on_change="rerun"
    )
    if not drawer.open:
        return
    from core.figures import generated

    with drawer:
        distances = {
            each.label: each.line.run.views[f"nearest.{each.kind}"]
            for each in shown
            if f"nearest.{each.kind}" in each.line.run.views
        }
        of_test = next(
            (each.line.run.views["nearest.test"] for each in shown if "nearest.test" in each.line.run.views), None
        )
        if not distances or of_test is None:
            st.markdown("These runs were measured before distances were: train them again.")
            return
        st.markdown(
            plain(
                "Distances of 1,000 samples, or as many as there are test rows, to their nearest training image. A "
                "sampler that hands out training images again has a line at 0. A line left of the test images' is no "
                "proof by itself: blurred images are nearer to everything."
            )
        )
        figure = generated.nearest_distances(distances, of_test, _methods(shown), nav.theme())
        st.plotly_chart(figure, key=choices.key("distances"), config={"displayModeBar": False})


def _repeating(shown: Sequence[Sampled]) -> str:
    """Which samplers repeat training rows, from the shares of copies and their intervals."""
    floors = [each.line.run.metrics.get("copies_floor_interval") for each in shown]
    floor = next((ends for ends in floors if ends), None)
    if floor is None or not any("copies_interval" in each.figures for each in shown):
        return ""
    flagged = [each.label for each in shown if generating.repeats(each.figures, tuple(floor))]
    if not flagged:
        return "None repeats training images more often than test images do."
    return (
        f"{listed(flagged)} {'repeats' if len(flagged) == 1 else 'repeat'} training images more often than test "
        "images do: that is memory, not generation."
    )


# --- Downloads ----------------------------------------------------------------------------------------------------


def _download(shown: Sequence[Sampled], prior: Prior, view: View) -> None:
    name = f"samples-{view.entry.name}-{view.size}d-seed{prior.seed}"
    with st.container(horizontal=True):
        st.download_button(
            "Samples as PNG",
            lambda: _png(shown, prior),
            f"{name}.png",
            "image/png",
            key=choices.key("png"),
            on_click="ignore",
            help="The sheets above in one picture.",
        )
        st.download_button(
            "Samples as NPZ",
            lambda: _npz(shown, prior),
            f"{name}.npz",
            "application/octet-stream",
            key=choices.key("npz"),
            on_click="ignore",
            help="Codes (float32) and images (uint8) of every sampler, for numpy.load.",
        )


def _png(shown: Sequence[Sampled], prior: Prior) -> bytes:
    shape = tuple(shown[0].line.run.environment["image_shape"])
    sheets = [(f"{each.label}: {each.about}", each.drawn(prior)[1]) for each in shown]
    return rasters.png(rasters.titled(sheets, shape, 2 * _COLUMNS))


def _npz(shown: Sequence[Sampled], prior: Prior) -> bytes:
    out = io.BytesIO()
    arrays: dict[str, np.ndarray] = {
        "image_shape": np.array(shown[0].line.run.environment["image_shape"]),
        "seed": np.array(prior.seed),
        "temperature": np.array(prior.temperature),
        "truncation": np.array(np.inf if prior.truncation == _NO_TRUNCATION else prior.truncation),
    }
    for each in shown:
        codes, images = each.drawn(prior)
        name = f"{each.line.method}_{each.kind}"
        arrays |= {f"{name}_codes": codes, f"{name}_images": images, f"{name}_run": np.array(each.line.run.key)}
    np.savez_compressed(out, **arrays)
    return out.getvalue()
