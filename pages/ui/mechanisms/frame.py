"""What the experiments share: how one begins, its controls, and the number that settles the point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.mechanisms.estimates import Estimate
from pages.ui import choices, draws, nav
from pages.ui.text import Markup, html

_CHART = {"displaylogo": False, "displayModeBar": False}
# Below it an error is rounding.
_LEAST_ERROR = 1e-6
_TALLER = 1.4


@dataclass(frozen=True)
class Controls:
    """The controls of one experiment: each remembered, and in the address under the experiment's name.

    Attributes
    ----------
    experiment : its name in the address.
    problems : takes a sentence where a link asks for something that is not offered.
    """

    experiment: str
    problems: list[str]

    def slide(
        self,
        name: str,
        label: str,
        options: Sequence[float],
        default: float,
        help: str | None = None,
        written: Callable[[Any], str] = "{:,}".format,
    ) -> Any:
        """One of a few values in order."""
        name = self._own(name)
        key = choices.seed(name, options, default, self.problems, parse=_among(options))
        chosen = st.select_slider(label, options, format_func=written, key=key, help=help, width=300)
        choices.keep(name, chosen)
        return chosen

    def segments(self, name: str, label: str, options: Mapping[str, str], help: str | None = None) -> str:
        """One of a few things by name, the first being the default."""
        return choices.segments(self._own(name), label, options, self.problems, help=help)

    def choose(self, name: str, label: str, options: Mapping[str, str], help: str | None = None) -> str:
        """One of many things by name, the first being the default."""
        name = self._own(name)
        key = choices.seed(name, list(options), next(iter(options)), self.problems)
        chosen = st.selectbox(label, list(options), format_func=options.get, key=key, help=help, width=240)
        choices.keep(name, chosen)
        return chosen

    def seed(self, label: str = "Draw again") -> int:
        """The seed of all draws, and a button for the next one."""
        name = self._own("seed")
        refusal = f"The link asks for a seed that is no whole number from 0 to {draws.LARGEST_SEED}: 0 is shown."
        found = draws.seed(self.problems, name, refusal)
        st.button(
            label,
            key=choices.key(f"{name}-next"),
            icon=":material/casino:",
            on_click=draws.another,
            args=(name,),
        )
        return found

    def _own(self, name: str) -> str:
        return f"{self.experiment}.{name}"


def _among(options: Sequence[float]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        with suppress(ValueError):
            return next((option for option in options if option == float(text)), text)
        return text

    return parsed


def begin(look: str, *formulas: str) -> None:
    """What to look for, and the formulas in LaTeX."""
    st.markdown(look)
    for formula in formulas:
        st.latex(formula)


def controls(row: int = 1):
    """A row that controls stand in."""
    return st.container(horizontal=True, vertical_alignment="bottom", key=f"mechanism-controls-{row}")


def charts(*figures: Any, key: str) -> None:
    """Figures side by side where there is room."""
    with st.container(key=f"mechanism-charts-{len(figures)}-{key}"):
        for k, figure in enumerate(figures):
            chart(figure, f"{key}-{k}")


def chart(figure: Any, key: str) -> None:
    """One figure, lettered for a room where the page is."""
    if nav.is_large():
        # Figures are shared by all visitors: this one gets its own.
        height, margin = _TALLER * figure.layout.height, figure.layout.margin.to_plotly_json()
        figure = type(figure)(figure).update_layout(font_size=18, title_font_size=20, height=height)
        figure.update_layout(margin={side: _TALLER * pixels for side, pixels in margin.items()})
    st.plotly_chart(figure, key=choices.key(key), config=_CHART)


def theme() -> str:
    return nav.theme()


def settle(text: str) -> None:
    """The number that settles the point."""
    st.html(Markup(f'<p class="hg-settled">{html(text)}</p>'))


def spelled(found: Estimate, unit: str = "") -> str:
    """``"-4.312 ± 0.021 nats"``: with as many places as its error has, which is one standard error."""
    if not found.error > _LEAST_ERROR:
        return f"{written(found.value, 0.0)}{unit and ' ' + unit}"
    return f"{written(found.value, found.error)} ± {written(found.error, found.error)}{unit and ' ' + unit}"


def written(value: float, error: float) -> str:
    """A number with the places that an error leaves meaningful, at most six."""
    if not error > _LEAST_ERROR:
        return f"{value:,.4g}".replace("-", "−")
    places = 0
    while places < 6 and error * 10**places < 9.5:
        places += 1
    return f"{value:,.{places}f}".replace("-", "−")


def agreement(found: Estimate, truth: float) -> str:
    """``"0.7 standard errors from it"``, and whether that is within what chance does."""
    deviation = abs(found.deviation(truth))
    if deviation == 0 and not found.error > _LEAST_ERROR:
        return "exactly there"
    if deviation == float("inf"):
        return "off, though the draws show no error of their own"
    verdict = "within chance" if deviation <= 3 else "more than chance explains: too few draws for the error they state"
    return f"{deviation:.1f} standard errors away, {verdict}"
