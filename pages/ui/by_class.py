"""The section Error by class: which classes are hard, for whom, and how errors are spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import streamlit as st

from core import cache, datasets, rebuilding
from core.datasets import Entry
from core.rebuilding import ByClass, ClassMean, ClassRatio, Ranking
from core.types import HourglassError, Run
from pages.ui import choices, loaded, nav, rebuilders
from pages.ui.compare import View
from pages.ui.numbers import number
from pages.ui.runs import Line
from pages.ui.text import Markup, html, listed, plain, shortened

_CLASS, _HARD = "class", "hard"
_LOG, _LINEAR = "log", "linear"
_ALL = "all"
_CHART = {"displaylogo": False}
_MOST_NAMED = 6
_SHARES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class _Errors:
    """Errors of the same test rows by every method.

    Attributes
    ----------
    by_method : label -> (n,) squared error of each row.
    methods : label -> method.
    y : (n,) class; None where there are no labels.
    which : which rows these are, in words.
    key : changes with any of them.
    """

    by_method: Mapping[str, np.ndarray]
    methods: Mapping[str, str]
    y: np.ndarray | None
    names: tuple[str, ...]
    which: str
    key: tuple


def draw(view: View, stored, problems: list[str]) -> None:
    lines = [line for line in view.there if "rows.squared_error" in line.run.views]
    if not lines:
        st.markdown(plain(f"No method that rebuilds images of {view.entry.label} is trained at this code size yet."))
        rebuilders.absent(view)
        return
    kept = _of_same_rows(lines, problems)
    errors = _errors(view.entry, kept, problems)
    if errors.y is None:
        st.markdown(plain(_unlabelled(view.entry, errors)))
    else:
        found = _compared(errors.key, errors)
        st.markdown(plain(f"{_hardest(errors, found.means)} {_advantage(errors, found)}".rstrip()))
        if ranked := _ranked(errors, found.ranking):
            st.markdown(plain(ranked))
        _classes(errors, found, problems)
    _distribution(errors, problems)
    rebuilders.reasons({line.label: line.problem for line in view.lines if line.problem})
    if any(line.method == "gan" for line in view.there):
        st.caption("The GAN has no encoder: it gives no code for a given image, so it has no errors here.")
    rebuilders.absent(view)


# --- Errors and labels --------------------------------------------------------------------------------------------


def _of_same_rows(lines: list[Line], problems: list[str]) -> list[Line]:
    """The runs that were measured on the same copy of the data as the first."""

    def copy_of(line: Line) -> tuple:
        return line.run.environment["data_checksum"], len(line.run.views["rows.squared_error"])

    same = [line for line in lines if copy_of(line) == copy_of(lines[0])]
    if others := [line.label for line in lines if line not in same]:
        was = "was" if len(others) == 1 else "were"
        problems.append(
            f"{listed(others)} {was} measured on another copy of the data than {lines[0].label}, so "
            f"{'it is' if len(others) == 1 else 'they are'} left out here: train again to compare."
        )
    return same


def _errors(entry: Entry, lines: list[Line], problems: list[str]) -> _Errors:
    scores = {line.label: line.run.views["rows.squared_error"].astype(np.float64) for line in lines}
    methods = {line.label: line.method for line in lines}
    n = len(next(iter(scores.values())))
    run, stamps = lines[0].run, tuple(line.stamp for line in lines)
    everywhere = f"all {n:,} test rows"
    if not entry.has_labels:
        return _Errors(scores, methods, None, (), everywhere, (stamps, "all"))
    y = _labels_here(entry, run, problems)
    if y is not None and len(y) == n:
        return _Errors(scores, methods, y, tuple(run.notes["target_names"]), everywhere, (stamps, "all"))
    shown = run.views["shown_rows"]
    which = f"the {len(shown):,} of {n:,} test rows whose class is stored with the runs, as the data are not here"
    of_shown = {label: each[shown] for label, each in scores.items()}
    names = tuple(run.notes["target_names"])
    return _Errors(of_shown, methods, run.views["labels"].astype(int), names, which, (stamps, "shown"))


def _labels_here(entry: Entry, run: Run, problems: list[str]) -> np.ndarray | None:
    """Classes of all test rows of the copy of the data that a run was measured on; None where it is not here."""
    if not datasets.available(entry.name):
        return None
    try:
        own, y = _labels(entry.name, run.spec.dataset_params)
    except HourglassError as problem:
        problems.append(str(problem))
        return None
    return y if own == run.environment["data_checksum"] else None


@st.cache_resource(max_entries=12, show_spinner=False)
def _labels(name: str, params: loaded.Params) -> tuple[str, np.ndarray]:
    dataset = loaded.dataset(name, params)
    return dataset.checksum, dataset.y_test


# --- Classes ------------------------------------------------------------------------------------------------------


def _classes(errors: _Errors, found: ByClass, problems: list[str]) -> None:
    from core.figures import errors as figures  # plotly: most visits open no figure

    means = found.means
    labels = list(next(iter(means.values())))
    first = next(iter(means))
    order = choices.segments(
        "order",
        "Classes in order",
        {_CLASS: "As they are", _HARD: f"Hardest for {first} first"},
        problems,
    )
    if order == _HARD:
        labels = sorted(labels, key=lambda label: -means[first][label].mean)
    drawn = {name: [(of[label].mean, of[label].low, of[label].high) for label in labels] for name, of in means.items()}
    classes = [errors.names[label] for label in labels]
    counts = [means[first][label].n for label in labels]
    figure = figures.per_class(drawn, classes, counts, nav.theme(), errors.methods)
    st.plotly_chart(figure, key=choices.key("per-class"), config=_CHART)
    each = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{counts[0]:,}"
    st.caption(
        plain(
            f"Mean squared error of an image, the sum over its pixels in [0, 1]; bars are 95 % bootstrap intervals of "
            f"the mean over {errors.which}, {each} a class.{_of_ranking(found.ranking)}{_of_shares(errors, found)}"
        )
    )
    drawer = st.expander("The numbers, as a table", key=choices.key("class-table"), on_change="rerun")
    if drawer.open:
        with drawer:
            st.html(_table(means, labels, errors.names))
            st.download_button(
                "Download as CSV",
                _csv(means, labels, errors.names),
                "hourglass-error-by-class.csv",
                "text/csv",
                on_click="ignore",
            )


@st.cache_resource(max_entries=32, show_spinner="Resampling the errors …")
def _compared(key: tuple, _errors: _Errors) -> ByClass:
    name = f"classes-{cache.key(key, list(_errors.by_method), _errors.y)}"
    found = cache.kept(name, lambda: rebuilding.resampled(_errors.by_method, _errors.y))
    return rebuilding.by_class(list(_errors.by_method), found)


def _hardest(errors: _Errors, means: Mapping[str, Mapping[int, ClassMean]]) -> str:
    by_label: dict[int, list[str]] = {}
    for name, found in means.items():
        by_label.setdefault(max(found, key=lambda label, of=found: of[label].mean), []).append(name)
    parts = []
    for label, names in by_label.items():
        values = [number(means[name][label].mean) for name in names]
        if len(set(values)) == 1:
            told = values[0]
        else:
            told = listed([f"{name} {value}" for name, value in zip(names, values, strict=True)])
        whom = "every method" if 2 < len(names) == len(means) else _called(names)
        parts.append(f"{errors.names[label]} for {whom} ({told})")
    return f"The hardest class, by the mean squared error of its images, is {', and '.join(parts)}."


def _called(names: Iterable[str]) -> str:
    return listed([rebuilders.called(name) for name in names])


def _of_pca(errors: _Errors, found: ByClass) -> tuple[str, dict[int, ClassRatio]]:
    """The better of AE and VAE, and what it leaves of PCA's error in each class; nothing where there are not two."""
    nets = [name for name in found.ranking.order if errors.methods[name] in ("ae", "vae")]
    pca = next((name for name, method in errors.methods.items() if method == "pca"), None)
    shares = found.ratios[nets[0], pca] if nets and pca else {}
    return (nets[0], shares) if len(shares) > 1 else ("", {})


def _advantage(errors: _Errors, found: ByClass) -> str:
    """Whether what a network gains on PCA is the same in every class."""
    name, shares = _of_pca(errors, found)
    if not shares:
        return ""
    most, least = (of(shares, key=lambda label: shares[label].ratio) for of in (min, max))

    def told(label: int) -> str:
        each = shares[label]
        return f"{each.ratio:.0%} ({100 * each.low:.0f} to {100 * each.high:.0f})".replace("%", " %")

    first, last = f"{told(most)} of PCA's error on {errors.names[most]}", f"{told(least)} on {errors.names[least]}"
    if shares[most].high >= shares[least].low:
        return (
            f"What {rebuilders.called(name)} gains on PCA may be the same in every class: it leaves from {first} to "
            f"{last}, and these intervals overlap."
        )
    end = "gains least" if shares[least].ratio <= 1 else "is behind most"
    return (
        f"What {rebuilders.called(name)} gains on PCA is not the same in every class: it leaves {first}, where it "
        f"gains most, and {last}, where it {end}."
    )


def _of_shares(errors: _Errors, found: ByClass) -> str:
    """How the shares of PCA's error were computed."""
    _, shares = _of_pca(errors, found)
    if not shares:
        return ""
    few = len(next(iter(found.means.values()))) - len(shares)
    left = f" Classes of fewer than {rebuilding.LEAST_ROWS} images are left out." if few else ""
    return (
        " Shares of PCA's error are ratios of the two means of a class; their intervals, from the same resamples for "
        f"both, are widened so that those of all {len(shares)} classes hold at once in 95 % of cases (Bonferroni): "
        f"where two do not overlap, the classes differ, though they were picked as the extremes.{left}"
    )


def _of_ranking(found: Ranking) -> str:
    """When methods count as level."""
    if not found.n_intervals:
        return ""
    return (
        f" Level: means within {rebuilding.LEVEL:.0%} of one another, or a paired 95 % interval of their difference "
        f"that holds 0; {found.n_intervals} such intervals, one a class and pair, not corrected for their number."
    ).replace("1%", "1 %")


def _ranked(errors: _Errors, found: Ranking) -> str:
    if len(found.order) < 2:
        return ""
    groups: list[list[str]] = []
    for name in found.order:
        if groups and all((other, name) in found.level for other in groups[-1]):
            groups[-1].append(name)
        else:
            groups.append([name])
    if len(groups) == 1:
        sentence = f"Over these rows {_called(groups[0])} are level."
    else:
        parts = [_called(group) + (", which are level" if len(group) > 1 else "") for group in groups]
        sentence = f"From the least error to the most: {'; then '.join(parts)}."
    apart = [pair for pair in found.level if not any({*pair} <= {*group} for group in groups)]
    if apart:
        sentence += f" Level too: {'; '.join(_called(pair) for pair in apart)}."
    changed = _changed_places(errors, found)
    if not changed:
        return f"{sentence} So it is in every class."
    return f"{sentence} But {'; '.join(changed)}."


def _changed_places(errors: _Errors, found: Ranking) -> list[str]:
    """In which classes methods do not stand as over all rows, in words; those that do so alike are told together."""
    places: dict[tuple, list[str]] = {}
    for better, worse in combinations(found.order, 2):
        turned, left_open = (
            tuple(errors.names[label] for a, b, label in of if (a, b) == (better, worse))
            for of in (found.turned, found.open)
        )
        if turned or left_open:
            places.setdefault((better, turned, left_open), []).append(worse)
    alike: dict[tuple, list[str]] = {}
    for (better, turned, left_open), worse in places.items():
        alike.setdefault((tuple(worse), turned, left_open), []).append(better)
    parts = []
    for (worse, turned, left_open), better in alike.items():
        told = []
        if turned:
            verb = "beats" if len(worse) == 1 else "beat"
            told.append(f"{_called(worse)} {verb} {_called(better)} in {_few(turned)}")
        if left_open:
            both = "they are level" if turned else _level_with(better, worse)
            told.append(f"{both} in {_few(left_open)}")
        parts.append(", and ".join(told))
    return parts


def _level_with(better: Sequence[str], worse: Sequence[str]) -> str:
    if len(better) == len(worse) == 1:
        return f"{_called([*better, *worse])} are level"
    return f"{_called(better)} {'is' if len(better) == 1 else 'are'} level with {_called(worse)}"


def _few(parts: Sequence[str]) -> str:
    if len(parts) <= _MOST_NAMED:
        return listed(list(parts))
    return f"{', '.join(parts[:_MOST_NAMED])} and {len(parts) - _MOST_NAMED} more"


def _table(means: Mapping[str, Mapping[int, ClassMean]], labels: list[int], names: tuple[str, ...]) -> Markup:
    head = "".join(f'<th scope="col">{html(name)}</th>' for name in means)
    lines = []
    for label in labels:
        n = next(iter(means.values()))[label].n
        cells = "".join(f"<td>{_cell(found[label])}</td>" for found in means.values())
        lines.append(
            f'<tr><th scope="row">{html(names[label])} <span class="hg-note">n = {n:,}</span></th>{cells}</tr>'
        )
    return Markup(
        f'<div class="hg-wide"><table class="hg-table"><thead><tr><th scope="col">Class</th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(found: ClassMean) -> str:
    ends = f"{number(found.low)} to {number(found.high)}" if np.isfinite(found.low) else "one row, no interval"
    return f'{number(found.mean)}<div class="hg-note">{ends}</div>'


def _csv(means: Mapping[str, Mapping[int, ClassMean]], labels: list[int], names: tuple[str, ...]) -> bytes:
    import pandas as pd

    lines = [
        {
            "class": names[label],
            "method": method,
            "mean squared error per image": found[label].mean,
            "interval low": found[label].low,
            "interval high": found[label].high,
            "n": found[label].n,
        }
        for method, found in means.items()
        for label in labels
    ]
    return pd.DataFrame(lines).to_csv(index=False).encode()


# --- Distribution -------------------------------------------------------------------------------------------------


def _unlabelled(entry: Entry, errors: _Errors) -> str:
    means = listed([f"{name} {number(each.mean())}" for name, each in errors.by_method.items()])
    return (
        f"{entry.label} comes without classes, so there is one distribution for all its rows: mean squared error "
        f"{means}, over {errors.which}."
    )


def _distribution(errors: _Errors, problems: list[str]) -> None:
    from core.figures import errors as figures

    st.subheader("How the errors are spread", anchor=False)
    told = st.empty()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = _class_choice(errors, problems) if errors.y is not None else None
        axis = choices.segments("axis", "Error axis", {_LOG: "Logarithmic", _LINEAR: "Linear"}, problems)
    of_class = slice(None) if label is None else errors.y == label
    scores = {name: each[of_class] for name, each in errors.by_method.items()}
    told.markdown(
        plain(
            "Each line shows what share of the images a method rebuilds with at most this error: a line further left "
            f"is better, a steeper one more even. {_spread(scores)}"
        )
    )
    quantiles = {name: rebuilding.quantiles(each) for name, each in scores.items()}
    figure = figures.distribution(quantiles, nav.theme(), errors.methods, is_log=axis == _LOG)
    st.plotly_chart(figure, key=choices.key("distribution"), config=_CHART)
    of = "" if label is None else f", those of class {errors.names[label]}"
    n = len(next(iter(scores.values())))
    st.caption(plain(f"Empirical distribution of the squared errors of {n:,} images: {errors.which}{of}."))
    drawer = st.expander("Quantiles, as a table", key=choices.key("quantile-table"), on_change="rerun")
    if drawer.open:
        drawer.html(_quantile_table(scores))


def _class_choice(errors: _Errors, problems: list[str]) -> int | None:
    found = [int(label) for label in np.unique(errors.y[errors.y >= 0])]
    options = [_ALL, *map(str, found)]
    refused: list[str] = []
    widget = choices.seed("of-class", options, _ALL, refused)
    if refused:
        asked = shortened(choices.asked("of-class"))
        problems.append(f"The link asks for the class “{asked}”, which is none here: all classes are shown.")
    chosen = st.selectbox(
        "Images of",
        options,
        key=widget,
        format_func=lambda each: "all classes" if each == _ALL else errors.names[int(each)],
        width=200,
    )
    choices.keep("of-class", chosen)
    return None if chosen == _ALL else int(chosen)


def _spread(scores: Mapping[str, np.ndarray]) -> str:
    parts = []
    for name, each in scores.items():
        low, middle, high = np.quantile(each, (0.05, 0.5, 0.95))
        parts.append(f"{name} {number(middle)} ({number(low)} to {number(high)})")
    return f"Median, and the middle 90 % of the images: {listed(parts)}."


def _quantile_table(scores: Mapping[str, np.ndarray]) -> Markup:
    head = "".join(f'<th scope="col">{share} %</th>' for share in _SHARES)
    lines = "".join(
        f'<tr><th scope="row">{html(name)}</th>'
        + "".join(f"<td>{number(float(value))}</td>" for value in np.percentile(each, _SHARES))
        + "</tr>"
        for name, each in scores.items()
    )
    return Markup(
        '<div class="hg-wide"><table class="hg-table"><thead><tr><th scope="col">At most this error for</th>'
        f"{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
