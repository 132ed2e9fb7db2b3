"""Curves of a training under way: the numbers they show are the history's."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from core.figures import history_panels, sketches, training_curves

VAE = [
    {"epoch": k, "seconds": k / 2, "loss": 100.0 / k, "reconstruction": 90.0 / k, "kl": 10.0 / k} for k in range(1, 9)
]
GAN = [
    {
        "epoch": k,
        "seconds": k,
        "discriminator_loss": 1.0,
        "generator_loss": k,
        "score_real": 0.6,
        "score_generated": 0.4,
    }
    for k in range(1, 4)
]


def points(svg: str) -> list[np.ndarray]:
    lines = ET.fromstring(svg).findall("{http://www.w3.org/2000/svg}polyline")
    return [np.array([pair.split(",") for pair in line.get("points").split()], float) for line in lines]


def test_every_term_has_its_panel_and_its_unit():
    assert [title for title, _ in history_panels.list_panels({"a": VAE}, "nats an image")] == [
        "Loss, nats an image",
        "Reconstruction, nats an image",
        "KL divergence, nats an image",
    ]
    assert history_panels.list_panels({"a": GAN}, "") == [
        ("Losses of the players", ["discriminator_loss", "generator_loss"]),
        ("Discriminator's mean score, probability", ["score_real", "score_generated"]),
    ]
    assert history_panels.list_panels({"a": []}, "nats") == []


def test_a_line_lies_where_the_numbers_are():
    (svg, about), *_ = sketches.render_progress(VAE, "epoch", "nats an image", "light")
    (line,) = points(svg)
    x, y = line.T
    losses = np.array([row["loss"] for row in VAE])
    # Linear in both: x grows with the epoch, y falls from the top of the picture as the loss grows.
    assert np.corrcoef(x, [row["epoch"] for row in VAE])[0, 1] == pytest.approx(1, abs=1e-6)
    assert np.corrcoef(y, losses)[0, 1] == pytest.approx(-1, abs=1e-4)
    assert about == "Loss, nats an image, at epoch 8: loss 12.5"


def test_the_axis_counts_seconds_where_it_is_asked_to():
    (_, about), *_ = sketches.render_progress(VAE, "seconds", "nats", "dark")
    assert "at seconds of training 4" in about


def test_both_players_are_drawn_and_scores_reach_from_0_to_1():
    losses, scores = sketches.render_progress(GAN, "epoch", "", "light")
    assert len(points(losses[0])) == len(points(scores[0])) == 2
    real, generated = (line[0, 1] for line in points(scores[0]))
    labels = ET.fromstring(scores[0]).iter("{http://www.w3.org/2000/svg}text")
    texts = {t.text: float(t.get("y")) - 3.5 for t in labels if t.get("text-anchor") == "end"}
    height = texts["0"] - texts["1"]
    assert (texts["0"] - real) / height == pytest.approx(0.6, abs=0.01)
    assert (texts["0"] - generated) / height == pytest.approx(0.4, abs=0.01)


def test_a_single_point_and_a_flat_line_are_drawn_too():
    for rows in [VAE[:1], [{**row, "loss": 5.0} for row in VAE], [{**VAE[0], "loss": 1e-12}]]:
        for svg, _ in sketches.render_progress(rows, "epoch", "nats", "light"):
            assert np.isfinite(points(svg)[0]).all()


def test_ticks_are_round_and_within():
    for low, high in [(0, 1), (0.2, 0.9), (1e-9, 2e-9), (-5, 300), (1e5, 9e7)]:
        ticks = sketches._choose_ticks(low, high)
        assert 2 <= len(ticks) <= 6
        assert min(ticks) >= low - 1e-12
        assert max(ticks) <= high * (1 + 1e-9)


def test_a_long_history_keeps_its_end():
    rows = [{"epoch": k, "loss": 1.0} for k in range(5000)]
    kept = history_panels.thin_rows(rows)
    assert len(kept) <= 600
    assert kept[-1] is rows[-1]
    assert history_panels.thin_rows(rows[:3]) == rows[:3]
    assert history_panels.thin_rows([]) == []


def test_several_trainings_lie_over_one_another_with_their_names():
    figures = training_curves.plot_progress({"one": VAE, "<two>": VAE[:3]}, "seconds", "nats", "light")
    assert [trace.name for trace in figures[0].data] == ["one", "&lt;two&gt;"]
    assert list(figures[0].data[0].x) == [row["seconds"] for row in VAE]
    assert list(figures[2].data[1].y) == pytest.approx([row["kl"] for row in VAE[:3]])
    assert figures[0].layout.xaxis.title.text == "seconds of training"
    assert len({trace.line.color for trace in figures[0].data}) == 2
