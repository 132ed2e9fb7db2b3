"""Curves of a training under way: the numbers they show are the history's."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from core.figures import svg, training_curves

VAE = [{"epoch": k, "seconds": k / 2, "loss": 100 / k, "reconstruction": 90 / k, "kl": 10 / k} for k in range(1, 9)]
PLAYERS = {"discriminator_loss": 1.0, "score_real": 0.6, "score_generated": 0.4}
GAN = [{"epoch": k, "seconds": k, "generator_loss": k, **PLAYERS} for k in range(1, 4)]
SVG = "{http://www.w3.org/2000/svg}"


def curves(document: str) -> list[np.ndarray]:
    """Points of the curves; lines of the legend have two points at one height."""
    lines = [line.get("points").split() for line in ET.fromstring(document).findall(f"{SVG}polyline")]
    arrays = [np.array([pair.split(",") for pair in line], float) for line in lines]
    return [points for points in arrays if not (len(points) == 2 and (points[:, 1] == 26).all())]


def y_ticks(document: str) -> dict[float, float]:
    """Value -> height in pixels."""
    texts = [text for text in ET.fromstring(document).iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    return {float(text.text.replace(",", "")): float(text.get("y")) - 3.5 for text in texts}


def test_curve_lies_where_the_numbers_are():
    (document, about), *_ = svg.render_progress(VAE, "epoch", "nats", "light")
    (line,) = curves(document)
    # Linear in both: x grows with the epoch, y falls from the top of the picture as the loss grows.
    assert np.corrcoef(line[:, 0], [row["epoch"] for row in VAE])[0, 1] == pytest.approx(1, abs=1e-6)
    assert np.corrcoef(line[:, 1], [row["loss"] for row in VAE])[0, 1] == pytest.approx(-1, abs=1e-4)
    assert about == "Loss, nats, at epoch 8: loss 12.5"
    assert "at seconds of training 4" in svg.render_progress(VAE, "seconds", "nats", "dark")[0][1]
    losses, scores = svg.render_progress(GAN, "epoch", "", "light")
    assert len(curves(losses[0])) == 2
    ends = y_ticks(scores[0])
    real, generated = (line[0, 1] for line in curves(scores[0]))
    assert (ends[0] - np.array([real, generated])) / (ends[0] - ends[1]) == pytest.approx([0.6, 0.4], abs=0.01)


def test_ticks_are_few_and_within_the_values():
    for rows in [VAE[:1], [{**row, "loss": 5.0} for row in VAE], [{**VAE[0], "loss": 1e-12}]]:
        for document, _ in svg.render_progress(rows, "epoch", "nats", "light"):
            assert np.isfinite(curves(document)[0]).all()
    for low, high in [(0, 1), (0.2, 0.9), (-5, 300), (1e5, 9e7)]:
        rows = [{"epoch": 1, "loss": low}, {"epoch": 2, "loss": high}]
        ticks = y_ticks(svg.render_progress(rows, "epoch", "", "light")[0][0])
        assert 2 <= len(ticks) <= 6
        room = 0.05 * (high - low)
        assert low - room <= min(ticks) < max(ticks) <= high + room


def test_several_trainings_share_a_plotly_chart():
    figures = training_curves.plot_progress({"one": VAE, "<two>": VAE[:3]}, "seconds", "nats", "light")
    assert [trace.name for trace in figures[0].data] == ["one", "&lt;two&gt;"]
    assert list(figures[0].data[0].x) == [row["seconds"] for row in VAE]
    assert list(figures[2].data[1].y) == pytest.approx([row["kl"] for row in VAE[:3]])
    assert len({trace.line.color for trace in figures[0].data}) == 2
