"""What all charts share: letters that can be read, on light and on dark."""

from core.figures import palette, style
from tests.contrast import contrast


def fonts(layout) -> list[dict]:
    """Every font of a layout that has a colour, however deep."""
    if isinstance(layout, dict):
        own = [value for name, value in layout.items() if name.endswith("font") and "color" in value]
        return own + [font for value in layout.values() for font in fonts(value)]
    return [font for value in layout for font in fonts(value)] if isinstance(layout, (list, tuple)) else []


def test_letters_are_read_on_the_ground():
    for theme in palette.CLASSES:
        found = fonts(style.make_template(theme).to_plotly_json())
        # Axes' labels and titles, the chart's own title, legend, hover label, colour bars, annotations.
        assert len(found) >= 12
        assert min(contrast(font["color"], palette.GROUND[theme]) for font in found) >= 4.5
        assert min(font["size"] for font in found) >= 12
        large = fonts(style.make_template(theme, 1.5).to_plotly_json())
        assert [font["size"] for font in large] == [1.5 * font["size"] for font in found]


def test_ticks_of_decades_reach_round_the_values():
    ticks = style.make_decade_ticks([0.0, 0.3, 40.0, float("nan")])
    assert ticks["tickvals"] == [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert style.make_decade_ticks([0.0]) == {}
