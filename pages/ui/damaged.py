"""The section Broken input: what each method makes of a damaged image, and how far that is from the whole one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from core import cache, damage, rebuilding, views
from core.damage import KINDS
from core.maps import Rows
from core.types import as_floats
from pages.ui import choices, columns, nav, rebuilders
from pages.ui.compare import View
from pages.ui.loaded import rows_here
from pages.ui.numbers import number
from pages.ui.rebuilders import Rebuilder
from pages.ui.text import listed, plain, shortened

_ROWS = 500
_SEED = 0
_IN_BLOCK, _SHOWN = 4, 8
_NOTHING = "Doing nothing"
_CHART = {"displaylogo": False}
# Of the amounts, which stands first: well into the damage.
_FIRST = 0.4


def draw(view: View, stored, problems: list[str]) -> None:
    explained = st.empty()
    rows = rows_here(view.entry, view.dataset_params, problems, n=_ROWS)
    if rows is None:
        st.markdown("The damage is done to test images, which are not here yet.")
        return
    known, refused = rebuilders.of(view, rows)
    if not known:
        st.markdown(plain(f"No method that rebuilds images of {view.entry.label} is trained at this code size yet."))
        rebuilders.reasons(refused)
        rebuilders.absent(view)
        return
    kind = choices.segments("damage", "Damage", {name: each.label for name, each in KINDS.items()}, problems)
    found = _measured(rows, known, kind)
    levels = KINDS[kind].levels(rows.image_shape)
    summary = _summary(tuple(each.line.stamp for each in known), rows.key, kind, found)
    chart = st.empty()
    level = _level(kind, levels, problems)
    explained.markdown(plain(f"{_explanation(rows, kind)} {_at_amount(known, kind, levels, level, summary)}"))
    chart.plotly_chart(_figure(kind, levels, level, summary, known), key=choices.key("damaged"), config=_CHART)
    st.caption(
        plain(
            f"Mean over {rows.drawn}, with its 95 % bootstrap band; squared error summed over pixels, unclipped, "
            f"always against the whole image. “{_NOTHING}” is the error of the damaged image itself. The damage is "
            f"drawn with seed {_SEED}, the same for every method. Click a name in the legend to hide its line."
        )
    )
    with st.expander("Which methods are nearest, and better than doing nothing, at which amounts"):
        st.markdown(plain(_verdict(known, kind, levels, summary)))
    _pictures(rows, known, kind, level, summary, levels)
    if rebuilders.generator(view):
        st.caption("The GAN is not included: without an encoder, each damaged image would take a search for its code.")
    rebuilders.reasons(refused)
    rebuilders.absent(view)


# --- Numbers ------------------------------------------------------------------------------------------------------


def _measured(rows: Rows, known: Sequence[Rebuilder], kind: str) -> dict[str, np.ndarray]:
    """Errors at each amount, (n_levels, n), of doing nothing and of each method; computed once and kept."""
    names = [_NOTHING, *(each.label for each in known)]
    wanted = {name: _name(rows, kind, each) for name, each in zip(names, [None, *known], strict=True)}
    found: dict[str, np.ndarray] = {}
    missing = [name for name in names if (kept := _kept(wanted[name])) is None or found.update({name: kept})]
    if not missing:
        return {name: found[name] for name in names}
    bar = st.progress(0.0, "Damaging the images …")
    rebuilds = {_NOTHING: lambda X: X} | {each.label: each.rebuild for each in known}
    X = rows.floats()
    for done, name in enumerate(missing):
        what = f"Asking {name} what it makes of the damaged images …" if name != _NOTHING else "Damaging the images …"

        def progress(level: int, of: int, done: int = done, what: str = what) -> None:
            bar.progress((done + level / of) / len(missing), what)

        found[name] = _errors(wanted[name], rebuilds[name], X, rows, kind, progress)
    bar.empty()
    _kept.clear()
    return {name: found[name] for name in names}


def _name(rows: Rows, kind: str, each: Rebuilder | None) -> str:
    stamp = each.line.stamp if each else ""
    return f"damaged-{cache.key(stamp, rows.key, kind, _SEED, KINDS[kind].levels(rows.image_shape))}"


@st.cache_resource(max_entries=64, show_spinner=False)
def _kept(name: str) -> np.ndarray | None:
    found = cache.find(name)
    return None if found is None else found["errors"]


def _errors(name: str, rebuild: Callable, X: np.ndarray, rows: Rows, kind: str, progress: Callable) -> np.ndarray:
    return cache.kept(
        name,
        lambda: {"errors": damage.errors(rebuild, X, rows.image_shape, kind, _SEED, progress)},
    )["errors"]


class _Summary:
    """What is told of the errors: bands, who is better than doing nothing where, who leads where."""

    def __init__(self, found: Mapping[str, np.ndarray]):
        self.bands = {name: damage.band(each) for name, each in found.items()}
        self.beats = {name: damage.beats(each, found[_NOTHING]) for name, each in found.items() if name != _NOTHING}
        self.leaders = damage.leaders({name: each for name, each in found.items() if name != _NOTHING})


@st.cache_resource(max_entries=32, show_spinner="Resampling the errors …")
def _summary(stamps: tuple, rows_key: str, kind: str, _found: Mapping[str, np.ndarray]) -> _Summary:
    return _Summary(_found)


def _figure(kind: str, levels: Sequence[float], level: float, summary: _Summary, known: Sequence[Rebuilder]):
    from core.figures import errors as figures  # plotly: most visits open no figure

    methods = {each.label: each.line.method for each in known}
    curves = [figures.Curve(name, band, methods.get(name, "")) for name, band in summary.bands.items()]
    return figures.damaged(levels, curves, KINDS[kind].axis, nav.theme(), level)


# --- Words --------------------------------------------------------------------------------------------------------


def _explanation(rows: Rows, kind: str) -> str:
    return (
        f"Here the methods are given damaged images ({KINDS[kind].about}), and what they rebuild is held against the "
        "whole image: look for a code that has no room for the damage, and so leaves it out."
    )


def _at_amount(known: Sequence[Rebuilder], kind: str, levels: Sequence[float], level: float, summary: _Summary) -> str:
    """Who is nearest to the whole image at the amount chosen, a sentence."""
    at = list(levels).index(level)

    def error(name: str) -> float:
        return float(summary.bands[name][at, 0])

    what = {"noise": "With noise of", "shift": "At"}.get(kind, "With a patch of")
    begin, nothing = f"{what} {_amount(kind, level)}", f"doing nothing leaves {number(error(_NOTHING))}"
    if level == 0:
        return f"{begin} nothing is damaged, so {nothing}."
    first = sorted(summary.leaders[at], key=error)
    others = sorted((each.label for each in known if each.label not in first), key=error)
    values = [number(error(name)) for name in first]
    told = values[0] if len(set(values)) == 1 else listed(values)
    names = _called(first)
    if others:
        against = listed([f"{number(error(name))} of {rebuilders.called(name)}" for name in others])
        sentence = f"{begin} {names} {'is' if len(first) == 1 else 'are'} nearest, {told} against {against}"
    else:
        sentence = f"{begin} {names} {'leaves' if len(first) == 1 else 'leave'} {told}"
    is_better = any(summary.beats[name][at] > 0 for name in summary.beats)
    return f"{sentence}; {nothing}{'' if is_better else ', and none is better than that'}."


def _verdict(known: Sequence[Rebuilder], kind: str, levels: Sequence[float], summary: _Summary) -> str:
    by_range: dict[str, list[str]] = {}
    for each in known:
        by_range.setdefault(_range(summary.beats[each.label] > 0, kind, levels), []).append(each.label)
    parts = [f"{_called(names)} {where or 'at no amount'}" for where, names in sorted(by_range.items(), reverse=True)]
    sentence = f"Better than doing nothing, by paired 95 % intervals: {'; '.join(parts)}."
    if len(known) < 2:
        return sentence
    leads: dict[tuple[str, ...], np.ndarray] = {}
    for k, names in enumerate(summary.leaders):
        leads.setdefault(names, np.zeros(len(levels), bool))[k] = True
    told = [
        f"{_called(names)} {_range(where, kind, levels)}{', level' if len(names) > 1 else ''}"
        for names, where in leads.items()
    ]
    level = " (level: within 1 %, or not told apart)" if any(len(names) > 1 for names in leads) else ""
    return f"{sentence} Nearest to the whole image{level}: {'; '.join(told)}."


def _called(names: Sequence[str]) -> str:
    return listed([rebuilders.called(name) for name in names])


def _range(where: np.ndarray, kind: str, levels: Sequence[float]) -> str:
    """At which amounts something holds, in words; nothing where it does not."""
    if not where.any():
        return ""
    if where.all():
        return "at every amount"
    at = np.flatnonzero(where)
    parts = []
    for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
        low, high = _amount(kind, levels[run[0]]), _amount(kind, levels[run[-1]])
        if len(run) > 1 and run[-1] == len(levels) - 1:
            parts.append(f"from {low} on")
        else:
            parts.append(f"at {low}" if len(run) == 1 else f"from {low} to {high}")
    return listed(parts)


def _amount(kind: str, level: float) -> str:
    if kind == "noise":
        return f"{level:g}"
    return f"{level:g} %" if kind != "shift" else f"{level:g} pixel{'s' if level != 1 else ''}"


# --- Pictures -----------------------------------------------------------------------------------------------------


def _level(kind: str, levels: Sequence[float], problems: list[str]) -> float:
    options = [f"{level:g}" for level in levels]
    name = f"amount-{kind}"
    refused: list[str] = []
    widget = choices.seed(name, options, options[round(_FIRST * (len(options) - 1))], refused)
    if refused:
        problems.append(
            f"The link asks for damage of “{shortened(choices.asked(name))}”, which is not measured: choose from "
            f"{options[0]} to {options[-1]}."
        )
    chosen = st.select_slider(
        f"Amount: {KINDS[kind].axis}", options, key=widget, format_func=lambda each: _amount(kind, float(each))
    )
    choices.keep(name, chosen)
    for other in KINDS:
        if other != kind:
            choices.keep(f"amount-{other}", choices.remembered(f"amount-{other}"), text=None)
    return levels[options.index(chosen)]


def _pictures(
    rows: Rows, known: Sequence[Rebuilder], kind: str, level: float, summary: _Summary, levels: Sequence[float]
) -> None:
    positions = rebuilding.one_of_each(rows.y, _SHOWN, _SEED)
    # The same draw as was measured, so of all rows.
    broken = KINDS[kind].apply(rows.floats(), rows.image_shape, level, _SEED)[positions]
    X = as_floats(rows.X[positions], rows.kind)
    at = list(levels).index(level)

    def strip(name: str, about: str, images: np.ndarray, alt: str) -> columns.Strip:
        parts = [images[start : start + _IN_BLOCK] for start in range(0, len(images), _IN_BLOCK)]
        cells = [columns.pictures(views.pixels(part), rows.image_shape, _IN_BLOCK, alt) for part in parts]
        return columns.Strip(columns.named(name, about), cells)

    def error(label: str) -> str:
        mean, low, high = summary.bands[label][at]
        return f"error {number(mean)} ({number(low)} to {number(high)})"

    strips = [
        strip("Whole", "", X, "Whole test images"),
        strip("Damaged", error(_NOTHING), broken, f"The same images with {KINDS[kind].label.lower()}"),
        *(strip(e.label, error(e.label), e.rebuild(broken), f"Rebuilt by {e.label} from the damaged") for e in known),
    ]
    n_blocks = -(-len(positions) // _IN_BLOCK)
    numbers = listed([f"{rows.numbers[k]:,}" for k in positions])
    with st.container(key="damaged-columns"):
        st.html(columns.grid(strips, n_blocks))
    st.caption(
        plain(
            f"Test rows {numbers}, at {_amount(kind, level)}. Errors are means over all {len(rows):,} rows at this "
            "amount. Pixels are clipped to [0, 1] to be shown."
        )
    )
