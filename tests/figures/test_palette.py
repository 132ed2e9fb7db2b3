"""Ten colours that stay apart: normally and for the three kinds of colour blindness, on light and on dark."""

import tomllib
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from colorspacious import cspace_convert
from scipy.spatial.distance import pdist

from core.figures import palette
from core.frontend import maps
from tests.contrast import contrast

SIGHTS = ("normal", "protanomaly", "deuteranomaly", "tritanomaly")


def seen(colours, sight: str = "normal") -> np.ndarray:
    """(n, 3) in CAM02-UCS, through the dichromacy of Machado et al. 2009 as colorspacious has it."""
    shares = np.array([palette.to_rgb(colour) for colour in colours]) / 255
    if sight != "normal":
        space = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
        shares = np.clip(cspace_convert(shares, space, "sRGB1"), 0, 1)
    return cspace_convert(shares, "sRGB1", "CAM02-UCS")


def hues(theme: str) -> np.ndarray:
    _, a, b = seen(palette.CLASSES[theme]).T
    return np.degrees(np.arctan2(b, a))


def turn(angle) -> np.ndarray:
    """Degrees between two hues, the shorter way round."""
    return np.abs((angle + 180) % 360 - 180)


@pytest.mark.parametrize("theme", palette.CLASSES)
def test_classes_stay_apart(theme):
    for sight in SIGHTS:
        none, *classes = seen([palette.NO_CLASS[theme], *palette.CLASSES[theme]], sight)
        # Distances in CAM02-UCS. The ten of matplotlib reach 5 for a dichromat, and 21 normally.
        assert pdist(classes).min() > (22 if sight == "normal" else 15)
        assert np.linalg.norm(np.array(classes) - none, axis=1).min() > 9
    assert min(turn(a - b) for a, b in combinations(hues(theme), 2)) > 10
    assert turn(hues("light") - hues("dark")).max() < 12


@pytest.mark.parametrize("theme", palette.CLASSES)
def test_marks_and_texts_stand_out_from_the_page(theme):
    ground = palette.GROUND[theme]
    marks = (*palette.CLASSES[theme], palette.NO_CLASS[theme], palette.SINGLE[theme])
    assert min(contrast(colour, ground) for colour in marks) >= 3
    assert min(contrast(colour, ground) for colour in (palette.INK[theme], palette.SOFT[theme])) >= 4.5


def test_ramp_moves_away_from_the_page():
    for sight, theme in product(SIGHTS, palette.CLASSES):
        ramp = maps.make_ramp(theme)
        lightness = seen(ramp, sight)[:, 0]
        steps = np.diff(lightness) * (-1 if theme == "light" else 1)
        # No part of the scale is much coarser or finer than another.
        assert 0 < steps.min() < steps.max() < 4 * steps.min()
        assert abs(lightness[-1] - lightness[0]) > 40
        assert min(contrast(colour, palette.GROUND[theme]) for colour in ramp) >= 3


def test_classes_differ_by_colour_or_mark():
    styles = [palette.get_class_style(label, "light") for label in range(40)]
    assert len({(style.colour, style.mark) for style in styles}) == 40


def test_theme_has_the_same_colours():
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
    for theme in palette.CLASSES:
        assert tuple(config["theme"][theme]["chartCategoricalColors"]) == palette.CLASSES[theme]
        assert config["theme"][theme]["backgroundColor"] == palette.GROUND[theme]
        assert config["theme"][theme]["textColor"] == palette.INK[theme]
