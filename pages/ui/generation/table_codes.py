"""The sections of a table that decode codes: sliders, interpolation, arithmetic, and the plane of a 2-D code."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis import error_comparison, interpolation, table_rows
from core.analysis.rows import Rows
from core.analysis.table_rows import Decoded
from core.errors import BadInput
from core.frontend import latent
from core.frontend.latent import Scene
from core.types import Dataset, Run
from pages.ui.generation import arithmetic, encoded_rows, latent_component, manifold, sliders
from pages.ui.generation.interpolation import FUNCTIONS, PATHS, PATHS_HELP
from pages.ui.generation.table_comparison import make_places
from pages.ui.generation.table_samples import load_table
from pages.ui.shared import cached, charts, header, page_state, tables
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, begin_section
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, plain, shorten

_FIRST_SLIDERS = 6
_MOST_UNSCROLLED = 14  # features
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_AMOUNTS = (0.0, 0.5, 1.0, 1.5)
_GRID = 40


def draw_sliders(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    problems += [line.problem for line in view.lines if line.problem]
    lines = {line.method: line for line in view.trained if line.entry.decodes}
    line = latent_component.choose_line("morph", lines, view.entry, view.size, problems)
    if line is None or (rows := latent_component.find_rows(view.entry, line, problems)) is None:
        return
    dataset = cached.load_dataset(rows.dataset, line.run.spec.dataset_params)
    scene = sliders.make_scene(line.stamp, rows.key, line.run, rows)
    st.markdown(
        "Each latent dimension has a slider, the most active first. The table shows the row that the decoder makes.",
        help=sliders.describe_measure(scene),
    )
    first = np.array([axis.start for axis in scene.axes])
    left, right = st.columns([2, 3], gap="large")
    with left:
        code = _draw_sliders(scene, rows, problems)
        st.caption(plain(" ".join(sliders.describe(line, scene))))
    with right:
        _draw_row(line, dataset, code, first)


def _draw_sliders(scene: Scene, rows: Rows, problems: list[str]) -> np.ndarray:
    """Draw a slider for each dimension, and buttons that set all; return the code, (k,)."""
    keys = [page_state.key(f"z{d}/{scene.id}") for d in range(len(scene.axes))]
    first = [axis.start for axis in scene.axes]

    def place(code: Sequence[float]) -> None:
        for key, value in zip(keys, code, strict=True):
            st.session_state[key] = float(f"{value:.3g}")

    kept = page_state.recall(f"code/{scene.id}") or first
    if (text := page_state.read_link("code")) is not None:
        try:
            kept = latent.parse_code(text, len(first))
        except BadInput as problem:
            problems.append(f"The link asks for code={shorten(text, 30)}. {problem}")
        place(kept)
    elif any(key not in st.session_state for key in keys):
        place(kept)

    def start() -> None:
        row = st.session_state[page_state.key("start")]
        place(first if row is None else scene.codes[row])

    if len(scene.codes):
        names = dict(enumerate(map(encoded_rows.describe_row, [rows] * len(rows), range(len(rows)))))
        look = {"format_func": names.get, "index": None, "placeholder": "the middle of the codes"}
        key = page_state.key("start")
        st.selectbox("Start from a test row", list(names), key=key, on_change=start, **look)
    with st.container(horizontal=True):
        if scene.gaussian is not None:
            draw = np.random.default_rng().multivariate_normal(scene.gaussian.mean, scene.gaussian.covariance)
            st.button("Randomise", key=page_state.key("random"), on_click=place, args=(draw,))
        st.button("Reset", key=page_state.key("reset"), on_click=place, args=(first,))
    order = range(len(keys)) if scene.order is None else list(map(int, scene.order))
    for d in order[:_FIRST_SLIDERS]:
        _draw_slider(d, keys[d], scene)
    if rest := order[_FIRST_SLIDERS:]:
        with st.expander(f"{len(rest)} more, less active"):
            for d in rest:
                _draw_slider(d, keys[d], scene)
    code = [float(st.session_state[key]) for key in keys]
    text = None if code == [float(f"{value:.3g}") for value in first] else latent.format_code(code)
    page_state.keep("code", code, text=text, memory=f"code/{scene.id}")
    return np.array(code)


def _draw_slider(d: int, key: str, scene: Scene) -> None:
    axis, value = scene.axes[d], st.session_state[key]
    low, high = min(float(f"{axis.low:.3g}"), value), max(float(f"{axis.high:.3g}"), value)
    note = f" ({scene.measure} {axis.note}{'' if axis.is_active else ', inactive'})" if scene.measure else ""
    st.session_state[key] = value  # of a slider that was not drawn before
    st.slider(f"z{d + 1}{note}", low, high, step=(high - low) / 200, key=key, format="%.2f")


def _draw_row(line: Line, dataset: Dataset, code: np.ndarray, first: np.ndarray) -> None:
    decode = cached.load_estimator(line.stamp).inverse_transform
    decoded = Decoded.make(dataset.table, decode(np.stack([first, code]).astype(np.float32)))
    rows = []
    for k, feature in enumerate(decoded.features):
        before, now = decoded.positions[:, k]
        bar = (
            f'<div class="hg-place" title="5 % to 95 % of the training rows"><i style="left:{100 * before:.1f}%"></i>'
            f'<b style="left:{100 * now:.1f}%"></b></div>'
        )
        change = decoded.describe_change(k, 0, 1)
        rows.append([tables.text(feature.name), Cell(html(decoded.texts[1][k]), decoded.values[1][k]), Cell(bar, now)])
        rows[-1].insert(2, Cell(html(change) if change else '<span class="hg-none">–</span>', change))
    with st.container(height=560 if len(rows) > _MOST_UNSCROLLED else "content", border=False):
        head = ["Feature", "Value", "Change", "5 % to 95 % of the training rows"]
        tables.draw(head, rows, "decoded-row", kind="hg-decoded")
    st.caption(
        "Change: from the row in the middle, which the hollow mark shows. Of categories, the most probable one and its "
        "probability."
    )


def draw_interpolation(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        dataset, rows = load_table(section, problems), section.find_rows(problems)
        methods = section.find_reconstructors(rows)
        section.require(methods, RECONSTRUCTS)
        section.explain(
            "A method encodes two test rows, and decodes points on the path between the two codes. In a good latent "
            "space the rows in between could be real."
        )
        offered = error_comparison.draw_by_class(rows.y, encoded_rows.N_OFFERED, 0)
        ends = []
        for place, name, k in zip(st.columns(2), ("from", "to"), (2, 7), strict=True):
            with place:
                default = offered[min(k, len(offered) - 1)]
                ends.append(encoded_rows.select_row(name, name.capitalize(), rows, default, problems))
        method = _choose_method(methods, problems)
        path = page_state.choose("path", "Path between the two codes", PATHS, problems, PATHS_HELP)
        encoded = encoded_rows.encode_rows(method, rows, ends)
        codes = FUNCTIONS[path](*encoded.codes, np.array(_STEPS))
        decoded = _decode(method, dataset, codes, rows, ends)
        heads = ["from", *(f"{share:.0%}" for share in _STEPS), "to"]
        _draw_steps(decoded, heads, "interpolation", 1)
        st.caption(plain(f"“from” and “to” are the rows themselves, the columns between them decoded. {_TINTS}"))


def draw_arithmetic(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        dataset, rows = load_table(section, problems), section.find_rows(problems)
        methods, minus, plus = arithmetic.choose_difference(
            section, rows, problems, "In a well-ordered latent space the features change that tell the classes apart."
        )
        offered = np.flatnonzero(rows.y == minus)
        label = f"A test row of class {rows.target_names[minus]}"
        at = encoded_rows.select_row("row", label, rows, int(offered[0]), problems, offered)
        method = _choose_method(methods, problems)
        encoded = encoded_rows.encode_rows(method, rows)
        direction = interpolation.compute_class_difference(encoded.codes, rows.y, plus, minus)
        decoded = _decode(method, dataset, encoded.codes[at] + np.array(_AMOUNTS)[:, None] * direction, rows, [at])
        _draw_steps(decoded, ["original", *(f"+ {amount:g} ×" for amount in _AMOUNTS)], "arithmetic", 1)
        n_plus, n_minus = (int((rows.y == label).sum()) for label in (plus, minus))
        about = f"Mean codes of {n_plus} and {n_minus} test rows of these classes, from {rows.summary}. {_TINTS}"
        st.caption(plain(about))
        arithmetic.explain_gan(view)


_TINTS = "Coloured: changed by more than half a standard deviation of the training rows from the first decoded column."


def _choose_method(methods: Sequence[Reconstructor], problems: list[str]) -> Reconstructor:
    by_name = {method.line.method: method for method in methods}
    labels = {name: method.label for name, method in by_name.items()}
    return by_name[page_state.choose("by", "Method", labels, problems)]


def _decode(method: Reconstructor, dataset: Dataset, codes: np.ndarray, rows: Rows, ends: Sequence[int]) -> Decoded:
    """Decode codes, between the one or two rows themselves at positions `ends`."""
    decoded = cached.load_estimator(method.line.stamp).inverse_transform(codes.astype(np.float32))
    known = None
    if rows.known is not None:
        known = np.vstack([rows.known[ends[:1]], np.ones(decoded.shape, bool), rows.known[ends[1:]]])
    return Decoded.make(dataset.table, np.vstack([rows.X[ends[:1]], decoded, rows.X[ends[1:]]]), known)


def _draw_steps(decoded: Decoded, heads: Sequence[str], name: str, reference: int) -> None:
    """Draw a row a feature and a column a step; those that change most from column `reference` come first."""
    changes = decoded.get_changes(reference)
    inner = changes[reference : len(changes) - (heads[-1] == "to")]
    rows = []
    for k in np.argsort(-np.abs(inner).max(axis=0), kind="stable"):
        steps = zip(decoded.texts, decoded.values, changes[:, k], strict=True)
        cells = [
            Cell(f'<span class="{_tint(change)}">{html(texts[k])}</span>', values[k]) for texts, values, change in steps
        ]
        rows.append([tables.text(decoded.features[k].name), *cells])
    tables.draw(["Feature", *heads], rows, name, kind="hg-decoded")


def _tint(change: float) -> str:
    return "" if abs(change) < 0.5 else "hg-more-than" if change > 0 else "hg-less-than"


def draw_plane(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    lines = [line for line in manifold.find_lines(view, stored) if line.run is not None]
    if not lines:
        latent_component.choose_line("plane", {}, view.entry, 2, problems)
        return
    rows = latent_component.find_rows(view.entry, lines[0], problems)
    if rows is None:
        return
    dataset = cached.load_dataset(rows.dataset, lines[0].run.spec.dataset_params)
    st.markdown(
        "Each point of a square is a 2-D code; its colour is the value that the decoder gives the feature. A dot is a "
        "test row at its code, in the colour of its true value."
    )
    options = table_rows.list_coloured(dataset.table)
    look = {"format_func": lambda name: shorten(name, 60), "width": 320}
    name = page_state.choose_with(st.selectbox, "feature", "Feature", options, options[0], problems, **look)
    _draw_planes(lines, rows, dataset, name)


def _draw_planes(lines: Sequence[Line], rows: Rows, dataset: Dataset, name: str) -> None:
    from core.figures import feature_histograms

    true = table_rows.read_values(dataset.table, rows.X, name, rows.known)
    low, high = np.nanquantile(
        table_rows.read_values(dataset.table, dataset.X_train, name, dataset.known_train), [0.05, 0.95]
    )
    for line, place in zip(lines, make_places(len(lines)), strict=True):
        with place:
            scene = manifold.make_scene(line.stamp, rows.key, line.run, rows)
            x, y = (np.linspace(axis.low, axis.high, _GRID) for axis in scene.axes)
            codes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
            made = cached.load_estimator(line.stamp).inverse_transform(codes)
            values = table_rows.read_values(dataset.table, made, name).reshape(_GRID, _GRID)
            st.html(f'<div class="hg-caption"><b>{html(line.label)}</b></div>')
            points = scene.codes if len(scene.codes) else None
            figure = feature_histograms.plot_plane(
                x, y, values, points, true, (low, max(high, low + 1e-9)), name, header.get_theme()
            )
            charts.draw(figure, f"plane-{line.method}")
            spanned = "Axes: standard deviations of the prior." if scene.gaussian else "Axes: 1st to 99th percentile."
            st.caption(plain(f"{spanned} {manifold.describe_points(line, scene, rows)}"))
