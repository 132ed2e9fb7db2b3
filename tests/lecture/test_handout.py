"""The hand-out: everything in one file, formulas as MathML, pictures with alternatives, answers after the exercises."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from core.errors import BadInput
from core.figures.line_chart import render_lines
from core.lecture import exercises, figures, glossary
from core.lecture import handout as printed
from pages.ui.tour import handout, steps


class Reader(HTMLParser):
    """Tags with their attributes, and whether all were closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.mistakes = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "line", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            self.mistakes.append(tag)


def test_the_handout_holds_all_steps_exercises_answers_and_terms(monkeypatch):
    assert set(figures.FIGURES) == {step.name for step in steps.STEPS}
    # One picture of each kind is enough: maps, images, a chart.
    kept = {name: figures.FIGURES[name] for name in ("documents", "demos", "revisited")}
    monkeypatch.setattr(figures, "FIGURES", kept)
    document, reader = handout.render(), Reader()
    reader.feed(document)
    assert (reader.open, reader.mistakes) == ([], [])
    found, _ = exercises.read_exercises(tuple(handout.header.VIEWS))
    titles = [step.title for step in steps.STEPS] + [one.title for one in found] * 2 + ["Glossary"]
    places = [match.start() for match in re.finditer("<h[1-3]", document)][1:]
    headings = [re.sub("<[^>]+>", "", document[at : document.index("</h", at)]) for at in places]
    for title in titles:
        assert any(title in heading for heading in headings), title
    assert document.index(">Exercises<") < document.index(">Answers<") < document.index(">Glossary<")
    assert all(term.definition[:20] in document for term in glossary.read_terms()[:3])
    names = [name for name, _ in reader.tags]
    assert names.count("math") >= sum(len(step.formulas) + len(step.symbols) for step in steps.STEPS)
    assert (names.count("img"), names.count("svg"), names.count("figcaption")) == (3, 1, 3)
    assert all(about["alt"] and about["src"].startswith("data:") for name, about in reader.tags if name == "img")
    assert not re.search(r'(?:src|href)="(?!data:)', document)
    assert "{" not in re.sub("<(style|pre)>.*?</(style|pre)>", "", document, flags=re.DOTALL)


def test_an_exercise_without_its_runs_is_left_out(monkeypatch):
    def refuse(*_):
        raise BadInput("no run")

    found, _ = exercises.read_exercises(tuple(handout.header.VIEWS))
    one = next(one for one in found if one.choices)
    unanswered = one.model_copy(update={"title": "Nothing is right", "choices": one.choices[:0]})
    assert unanswered.title not in printed.render("T", "", [], [unanswered])
    monkeypatch.setattr(exercises, "compute_numbers", refuse)
    assert one.title not in printed.render("T", "", [], [one])


def test_lines_of_a_chart_stand_at_their_values():
    x, y = [1.0, 10.0, 100.0], [0.0, 2.0, 8.0]
    svg = render_lines({"a < b": (x, y), "other": (x, y[::-1])}, "steps", "nats", is_log=True)
    points = [
        np.array([pair.split(",") for pair in text.split()], float) for text in re.findall('points="([^"]+)"', svg)
    ]
    assert np.ptp(np.diff(points[0][:, 0])) == pytest.approx(0, abs=0.11)  # powers of ten are equally far apart
    fractions = (points[0][:, 1] - points[0][0, 1]) / (points[0][2, 1] - points[0][0, 1])
    assert fractions == pytest.approx([0, 0.25, 1], abs=0.002)
    ticks = {float(t): float(y) for y, t in re.findall(r'y="([\d.]+)" text-anchor="end">([\d.]+)<', svg)}
    assert points[0][1, 1] == pytest.approx(ticks[2.0] - 4, abs=0.2)
    assert "a &lt; b" in svg
    assert render_lines({"flat": ([0, 1], [3, 3])}, "x", "y", from_zero=False).count("polyline") == 1
