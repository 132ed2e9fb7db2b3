"""Ten colours that stay apart: normally and for the three kinds of colour blindness, on light and on dark."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from core.figures import palette

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SEEN = {
    "normally": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson 2020.
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colours) -> np.ndarray:
    share = np.array([palette.rgb(colour) for colour in colours]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("theme", palette.CLASSES)
@pytest.mark.parametrize("sight", SEEN)
def test_ten_colours_stay_apart(theme, sight):
    seen = np.clip(linear(palette.CLASSES[theme]) @ SEEN[sight].T, 0, 1)
    lab = np.cbrt(seen @ TO_LMS.T) @ TO_LAB.T
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(10, 1)]
    # The well-known ten of matplotlib reach 0.02 here; 0.1 is told apart side by side.
    assert distances.min() > 0.1


@pytest.mark.parametrize("theme", palette.CLASSES)
def test_colours_stand_out_from_the_page(theme):
    luminance = linear([*palette.CLASSES[theme], palette.GROUND[theme]]) @ (0.2126, 0.7152, 0.0722)
    high, low = np.maximum(luminance[:-1], luminance[-1]), np.minimum(luminance[:-1], luminance[-1])
    assert ((high + 0.05) / (low + 0.05)).min() > 1.9


def test_more_than_ten_classes_differ_by_mark():
    styles = [palette.style(label, "light") for label in range(40)]
    assert len({(style.colour, style.mark) for style in styles}) == 40


def test_the_theme_shows_the_same_colours():
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
    for theme in palette.CLASSES:
        assert tuple(config["theme"][theme]["chartCategoricalColors"]) == palette.CLASSES[theme]
        assert config["theme"][theme]["backgroundColor"] == palette.GROUND[theme]
        assert config["theme"][theme]["textColor"] == palette.INK[theme]
