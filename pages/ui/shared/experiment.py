"""What all demos share: layout, introduction, controls, charts, finding, checks, details."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.datasets import user_image
from core.errors import BadInput
from core.figures import montages
from core.mechanisms.monte_carlo import Estimate
from pages.ui.shared import charts, drawing_pad, header, page_state, tables
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.images import image, vector
from pages.ui.shared.number_format import power_of_ten
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import Markup, html, plain

RESTART = "New initialisation"
DRAWN = {"drawn": "Draw your own"}
_LONGEST_IN_A_LINK = 1200
_ROUNDING = 1e-9  # smaller numbers are 0: those of the demos are of the order of 1
# Errors below the first are rounding; those above the second are not worth their digits.
_LEAST_ERROR, _LARGEST_ERROR = 1e-6, 10_000
_MOST_DEVIATION = 3  # standard errors
_TALLEST = 400  # pixels of a chart in large type: it is seen whole beside its controls


@dataclass(frozen=True)
class _Places:
    """Containers of a demo that is laid out: of text, formulas, and what stands beside the charts."""

    text: Any
    formulas: Any
    controls: Any
    finding: Any


_places: ContextVar[_Places | None] = ContextVar("places", default=None)


@dataclass(frozen=True)
class Controls:
    """Controls of one demo, remembered and in the address; `problems` takes those of a link."""

    experiment: str
    problems: list[str]

    def choose_value(
        self,
        name: str,
        label: str,
        options: Sequence[float],
        default: float,
        help: str | None = None,
        format_value: Callable[[Any], str] = "{:,}".format,
    ) -> Any:
        """One of a few values in order."""

        def parse(text: str) -> Any:
            with suppress(ValueError):
                return next((option for option in options if option == float(text)), text)
            return text

        arguments = (st.select_slider, f"{self.experiment}.{name}", label, options, default, self.problems)
        return page_state.choose_with(*arguments, parse=parse, format_func=format_value, help=help, width=300)

    def choose_segment(self, name: str, label: str, options: Mapping[str, str]) -> str:
        """One of a few things by name, the first being the default."""
        return page_state.choose(f"{self.experiment}.{name}", label, options, self.problems)

    def choose_option(self, name: str, label: str, options: Mapping[str, str]) -> str:
        """One of many things by name, the first being the default."""
        arguments = (st.selectbox, f"{self.experiment}.{name}", label, list(options), next(iter(options)))
        return page_state.choose_with(*arguments, self.problems, format_func=options.get, width=240)

    def choose_drawing(self) -> np.ndarray | None:
        """The points of strokes drawn on a pad, (n, 2), or None; each becomes a small Gaussian."""
        with _find_place("controls"):
            return self._choose_drawing()

    def _choose_drawing(self) -> np.ndarray | None:
        name, key = f"{self.experiment}.strokes", page_state.key(f"{self.experiment}-pad")
        if (linked := page_state.read_link(name)) is not None:
            try:
                user_image.unpack_strokes(linked)
                drawing_pad.preset_strokes(key, linked)
            except BadInput:
                self.problems.append("The drawing in the link can't be read: draw it again.")
        strokes = drawing_pad.read_strokes(key, "Your data")
        page_state.keep(name, strokes, text=strokes if 0 < len(strokes) <= _LONGEST_IN_A_LINK else None)
        if points := user_image.unpack_strokes(strokes):
            return np.concatenate(points)
        st.info("Draw the data above: every point of a stroke becomes a small Gaussian.")
        return None

    def choose_seed(self, label: str = "Resample") -> int:
        """The seed of all random numbers, and a button for the next one."""
        name = f"{self.experiment}.seed"
        refusal = f"The seed in the link must be a whole number from 0 to {page_state.LARGEST_SEED}: 0 is used."
        seed = page_state.read_seed(self.problems, name, refusal)
        key, icon = page_state.key(f"{name}-next"), ":material/casino:"
        st.button(label, key=key, icon=icon, on_click=page_state.advance_seed, args=(name,))
        return seed


@contextmanager
def lay_out() -> Iterator[None]:
    """Lay out the demo that is drawn inside: controls and finding beside all else, where there is room.

    The introduction stands above, in large type below, and formulas below. On a phone controls and finding stand
    together above the charts.
    """
    is_large = header.is_large()
    text = None if is_large else st.container()
    with st.container(key="demo"):
        with st.container(key="demo-side"):
            controls, finding = st.container(), st.container()
        main = st.container(key="demo-main")
    text = text or st.container()
    token = _places.set(_Places(text, st.container(), controls, finding))
    try:
        with main:
            yield
    finally:
        _places.reset(token)


def _find_place(name: str) -> Any:
    """The container of this name where a demo is laid out, else a new one here."""
    places = _places.get()
    return st.container() if places is None else getattr(places, name)


def introduce(text: str, *formulas: str) -> None:
    """Draw what the experiment shows, in words and in LaTeX."""
    draw_text(text, _find_place("text"))
    with _find_place("formulas"):
        for formula in formulas:
            st.latex(formula)


def make_controls_row(row: int = 1):
    """A row of controls, one below another where they stand beside the charts."""
    with _find_place("controls"):
        return st.container(horizontal=True, vertical_alignment="bottom", key=f"mechanism-controls-{row}")


def draw_charts(*figures: Any, key: str) -> None:
    """Draw figures side by side where there is room."""
    with st.container(key=f"mechanism-charts-{len(figures)}-{key}"):
        for k, figure in enumerate(figures):
            charts.draw(figure, f"{key}-{k}", tallest=_TALLEST)


def render_still(figure: Any, theme: str, width: int = 420, height: int = 320) -> Markup:
    """A simple figure as a picture, which is there before plotly is; to be cached."""
    # Imported late, with plotly.
    from core.figures import still, summary

    svg, alt = still.render_figure(figure, theme, width, height)
    title = f'<div class="hg-chart-title">{html(summary.get_title(figure))}</div>'
    return Markup(title + vector(svg, alt, "hg-still"))


def draw_strips(strips: Mapping[str, np.ndarray], shape: tuple[int, int], columns: int, cell: int) -> None:
    """Draw montages of images by title, each (n, height * width) uint8."""
    parts = ""
    for title, pixels in strips.items():
        png = montages.encode_png(montages.make_montage(pixels, shape, columns, cell=cell))
        parts += f"<figure><figcaption>{html(title)}</figcaption>{image(png, title, 'hg-strip')}</figure>"
    st.html(Markup(f'<div class="hg-mechanism-strips">{parts}</div>'))


def state_finding(text: str) -> None:
    """Draw the sentence that the experiment ends with; assets/theme/app.js announces one that changes."""
    with _find_place("finding"):
        st.html(Markup(f'<p class="hg-settled">{html(text)}</p>'))


def draw_checks(name: str, checks: Mapping[str, tuple[Estimate | None, float | None]]) -> None:
    """Draw a table of quantities: their estimates from samples, and their exact values."""
    rows = []
    for quantity, (estimate, exact) in checks.items():
        error = estimate.error if estimate else 0.0
        exact_cell = tables.EMPTY if exact is None else Cell(format_value(exact, error), exact)
        both = estimate is not None and exact is not None
        agreement = tables.text(describe_agreement(estimate, exact)) if both else tables.EMPTY
        rows.append([tables.text(quantity), make_cell(estimate), exact_cell, agreement])
    tables.draw(("Quantity", "Estimate ± standard error (SE)", "Exact value", "Agreement"), rows, name)


def make_cell(estimate: Estimate | None) -> Cell:
    """An estimate with its standard error; its file has the 95% interval."""
    if estimate is None:
        return tables.EMPTY
    value, reach = estimate.value, 1.96 * estimate.error
    return Cell(format_estimate(estimate), value, value - reach, value + reach, estimate.n or None)


def show_details(text: str) -> None:
    """Draw how the numbers were computed, folded away."""
    with st.expander("Details"):
        st.markdown(plain(text))


def to_percent(share: Estimate) -> Estimate:
    return Estimate(100 * share.value, 100 * share.error, share.n)


def format_estimate(estimate: Estimate, unit: str = "") -> str:
    """``"−4.312 ± 0.021 nats"``: with the decimal places that its standard error allows."""
    error = f" ± {format_error(estimate.error)}" if estimate.error > _LEAST_ERROR else ""
    return f"{format_value(estimate.value, estimate.error)}{error} {unit}".rstrip()


def format_error(error: float) -> str:
    """A standard error in two digits."""
    return format_value(error, error) if error < _LARGEST_ERROR else f"more than {_LARGEST_ERROR:,}"


def format_value(value: float, error: float) -> str:
    """A number with the decimal places that are meaningful given its error, at most six."""
    if abs(value) < _ROUNDING:
        value = 0.0
    if not error > _LEAST_ERROR:
        return (f"{value:,.4g}" if abs(value) < _LARGEST_ERROR else f"{value:,.0f}").replace("-", "−")
    places = next((places for places in range(6) if error * 10**places >= 9.5), 6)
    return f"{value:z,.{places}f}".replace("-", "−")


def format_power(value: float) -> str:
    """A positive number in three digits, a large one as a power of ten: ``0.0039``, ``315``, ``7.33 × 10⁸``."""
    if value < _LARGEST_ERROR:
        return f"{float(f'{value:.3g}'):,.6g}"
    return power_of_ten(value, 2)


def describe_agreement(estimate: Estimate, exact: float) -> str:
    """``"agrees (0.7 SE)"``, or ``"differs (4.2 SE)"`` beyond chance."""
    deviation = abs(estimate.deviation(exact))
    if deviation == 0 and not estimate.error > _LEAST_ERROR:
        return "equal"
    text = "SE 0" if np.isinf(deviation) else f"{deviation:.1f} SE"
    return f"{'agrees' if deviation <= _MOST_DEVIATION else 'differs'} ({text})"
