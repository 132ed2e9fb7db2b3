"""The section Corrupted input: reconstructions of corrupted rows, and their error against the clean rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from core import cache
from core.analysis import corruption, error_comparison
from core.analysis.codes import to_pixels
from core.analysis.corruption import BY_KIND, Corruption
from core.analysis.rows import Rows
from core.analysis.table_cells import Cells
from core.metrics.reconstruction_error import ErrorMeasure, choose_measure
from core.types import ROW_NAMES, TABLES, Run, as_floats
from pages.ui.shared import cached, charts, header, image_grid, page_state, reconstructors, tables
from pages.ui.shared.number_format import number
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, begin_section
from pages.ui.shared.text import join_words, plain

_ROWS, _SEED = 500, 0
_IN_BLOCK, _SHOWN = 4, 8
_NO_MODEL = "No model"
_FIRST_LEVEL = 0.4  # as a share of all levels


class _Summary(NamedTuple):
    """Statistics of the errors at each level."""

    bands: Mapping[str, np.ndarray]  # name -> (n_levels, 3) mean error and ends of its interval
    verdicts: Mapping[str, np.ndarray]  # method -> (n_levels,) 1: significantly better than no model, -1: worse, 0
    leaders: Sequence[tuple[str, ...]]  # methods with the lowest error, or tied with it


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        rows = section.find_rows(problems, n=_ROWS)
        methods = section.find_reconstructors(rows)
        section.require(methods, RECONSTRUCTS)
        form = rows.image_shape
        if rows.kind == TABLES:
            form = Cells(cached.load_dataset(view.entry.name, view.dataset_params), rows.numbers)
        section.explain(_draw_comparison(rows, form, choose_measure(view.entry.form), methods, problems))
        if gan := reconstructors.find_gan(view):
            why = "without an encoder, " + (
                "each image would need a GAN inversion" if rows.image_shape else "it has no code"
            )
            st.caption(f"The {gan.label} is not included: {why}.")


def _draw_comparison(
    rows: Rows,
    form: tuple[int, int] | Cells,
    measure: ErrorMeasure,
    methods: Sequence[Reconstructor],
    problems: list[str],
) -> str:
    """Draw chart, table and images; return the explanation above them."""
    from core.figures import errors as figures  # plotly: most visits open no figure

    kinds = BY_KIND[rows.kind]
    kind = page_state.choose("damage", "Corruption", {name: k.label for name, k in kinds.items()}, problems)
    corrupt, levels = kinds[kind], kinds[kind].levels(rows.image_shape)
    errors = _measure(rows, form, methods, kind, corrupt)
    summary = _summarise(tuple(m.line.stamp for m in methods), rows.key, kind, errors)
    chart = st.empty()
    level = _choose_level(kind, corrupt, levels, problems)
    method_of = {method.label: method.line.method for method in methods}
    curves = [figures.Curve(name, band, method_of.get(name, "")) for name, band in summary.bands.items()]
    with chart:
        look = header.get_theme(), level, measure.axis, measure.row
        charts.draw(figures.plot_by_corruption(levels, curves, corrupt.axis, *look), "damaged")
    about = (
        f"Mean over {rows.summary}, with 95% bootstrap band; {measure.about}. {_NO_MODEL}: error of "
        f"the corrupted {measure.row} itself. Corruption seed {_SEED} for every method; click a name in "
        "the legend to hide its line."
    )
    st.caption(plain(about))
    with st.expander("Comparison of the methods by amount"):
        lines = []
        for name, verdict in summary.verdicts.items():
            is_leader = np.array([name in leaders for leaders in summary.leaders])
            ranges = [_range(where, kind, levels) or "never" for where in (verdict > 0, is_leader)]
            lines.append([*map(tables.text, (name, *ranges))])
        tables.draw(("Method", f"Better than {_NO_MODEL.lower()}", "Lowest error"), lines, "damaged-methods")
        st.caption(
            "Better: by the paired 95% interval of the difference. Lowest error: including methods within 1% of the "
            "lowest mean, or not significantly different from it."
        )
    at = levels.index(level)
    if rows.image_shape:
        bands = {name: band[at] for name, band in summary.bands.items()}
        _draw_images(rows, methods, kind, corrupt, level, bands)
    return _explanation(measure.row, kind, corrupt, level, summary, at)


def _choose_level(kind: str, corrupt: Corruption, levels: Sequence[float], problems: list[str]) -> float:
    options = [f"{level:g}" for level in levels]
    default, label = options[round(_FIRST_LEVEL * (len(options) - 1))], f"Amount: {corrupt.axis}"
    look = {"format_func": lambda text: _amount(kind, float(text))}
    chosen = page_state.choose_with(st.select_slider, f"amount-{kind}", label, options, default, problems, **look)
    page_state.forget(f"amount-{other}" for kinds in BY_KIND.values() for other in kinds if other != kind)
    return levels[options.index(chosen)]


def _amount(kind: str, level: float) -> str:
    units = {"noise": "", "shift": " pixel" if level == 1 else " pixels"}
    return f"{level:g}{units.get(kind, '%')}"


def _measure(
    rows: Rows, form: tuple[int, int] | Cells, methods: Sequence[Reconstructor], kind: str, corrupt: Corruption
) -> dict[str, np.ndarray]:
    """Return errors at each level, (n_levels, n), without a model and of each method; each is computed only once."""
    bar, X, row = st.empty(), rows.floats(), ROW_NAMES[rows.kind]

    def measure(k: int, stamp: object, what: str, reconstruct: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        def show(level: int, n_levels: int) -> None:
            bar.progress((k + level / n_levels) / (1 + len(methods)), f"{what} …")

        key = cache.make_key(stamp, rows.key, kind, _SEED, corrupt.levels(rows.image_shape))
        compute = lambda: {"errors": corruption.compute_errors(reconstruct, X, form, corrupt, _SEED, show)}
        return cache.get_or_compute(f"damaged-{key}", compute)["errors"]

    errors = {_NO_MODEL: measure(0, "", f"Corrupting the {row}s", lambda X: X)}
    for k, method in enumerate(methods, 1):
        what = f"Reconstructing the corrupted {row}s with {method.label}"
        errors[method.label] = measure(k, method.line.stamp, what, method.reconstruct)
    bar.empty()
    return errors


@st.cache_resource(max_entries=32, show_spinner="Resampling the errors …")
def _summarise(stamps: tuple, rows_key: str, kind: str, _errors: Mapping[str, np.ndarray]) -> _Summary:
    by_method = {name: values for name, values in _errors.items() if name != _NO_MODEL}
    bands = {name: corruption.compute_band(values) for name, values in _errors.items()}
    verdicts = {name: corruption.compare_with_input(values, _errors[_NO_MODEL]) for name, values in by_method.items()}
    return _Summary(bands, verdicts, corruption.find_leaders(by_method))


def _explanation(row: str, kind: str, corrupt: Corruption, level: float, summary: _Summary, at: int) -> str:
    """Say what is compared, and which method has the lowest error at the chosen level."""
    means = {name: float(band[at, 0]) for name, band in summary.bands.items()}
    leaders = sorted(summary.leaders[at], key=means.get)
    names = join_words([reconstructors.to_phrase(name) for name in leaders])
    values = join_words(list(dict.fromkeys(number(means[name]) for name in leaders)))
    verb, tied = ("has", "") if len(leaders) == 1 else ("have", ", not significantly different")
    is_better = any(verdict[at] > 0 for verdict in summary.verdicts.values())
    none_better = "" if is_better or level == 0 else "; no method is significantly better"
    return (
        f"Reconstructions of corrupted {row}s ({corrupt.about}), compared with the clean {row}s. At "
        f"{corrupt.label.lower()} {_amount(kind, level)}, {names} {verb} the lowest error ({values}{tied}; no "
        f"model: {number(means[_NO_MODEL])}{none_better})."
    )


def _range(where: np.ndarray, kind: str, levels: Sequence[float]) -> str:
    """Format the levels at which `where` holds: ``"20% to 50%, 70%"``."""
    at = np.flatnonzero(where)
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if len(at) else []
    ends = [dict.fromkeys(_amount(kind, levels[k]) for k in (run[0], run[-1])) for run in runs]
    return ", ".join(" to ".join(pair) for pair in ends)


def _draw_images(
    rows: Rows,
    methods: Sequence[Reconstructor],
    kind: str,
    corrupt: Corruption,
    level: float,
    bands: Mapping[str, np.ndarray],
) -> None:
    """Draw some of the images, clean, corrupted and reconstructed, with the errors of all rows in `bands`."""
    positions = error_comparison.draw_by_class(rows.y, _SHOWN, _SEED)
    # The corruption that was measured depends on all rows.
    corrupted = corrupt.apply(rows.floats(), rows.image_shape, level, _SEED)[positions]
    n_blocks = -(-len(positions) // _IN_BLOCK)

    def strip(name: str, images: np.ndarray, alt: str, band: np.ndarray | None = None) -> image_grid.Strip:
        about = "" if band is None else "error {} ({} to {})".format(*map(number, band))
        title, pixels = image_grid.make_name(name, about), to_pixels(images)
        return image_grid.make_strip(title, pixels, rows.image_shape, alt, per_block=_IN_BLOCK, n_blocks=n_blocks)

    clean, alt = as_floats(rows.X[positions], rows.kind), f"The same images with {corrupt.label.lower()}"
    strips = [strip("Clean", clean, "Clean test images"), strip("Corrupted", corrupted, alt, bands[_NO_MODEL])]
    for method in methods:
        alt = f"The corrupted images reconstructed by {method.label}"
        strips.append(strip(method.label, method.reconstruct(corrupted), alt, bands[method.label]))
    with st.container(key="damaged-columns"):
        st.html(image_grid.make_grid(strips, n_blocks))
    numbers = join_words([f"{rows.numbers[k]:,}" for k in positions])
    where = f"Test rows {numbers} at {_amount(kind, level)}; errors are means over all {len(rows):,} rows."
    st.caption(plain(f"{where} Images are clipped to [0, 1] for display."))
