"""Exercises of the lecture: complete, computable, done by somebody who does the task; wrong files in words."""

import re

import pytest

from core.errors import BadInput
from core.lecture import exercises, listing, quantities
from pages.ui.shared.header import VIEWS
from pages.ui.tour import steps

FOUND, PROBLEMS = exercises.read_exercises(tuple(VIEWS))
# What a person who does the task has chosen in the view.
DONE = {
    "components": {"size": 30},
    "neighbours": {"size": 30},
    "labels": {"at": 1000},
    "codes": {"size": 2},
    "pairs": {"naive.noise": 0.5},
    "bound": {"elbo.spread": 1.0, "elbo.shift": 0.25},
    "gradients": {"gradients.f": "sines", "gradients.w": 8.0},
    "collapse": {"elbo.beta": 0.1},
    "discriminator": {"players.preset": "vanishing"},
    "modes": {"similarity.pi": 0.999},
}


def test_every_exercise_has_one_right_answer_and_a_task_that_can_be_done():
    assert PROBLEMS == []
    assert set(DONE) == {one.name for one in FOUND}
    for one in FOUND:
        start, done = (exercises.compute_numbers(one, chosen) for chosen in ({}, DONE[one.name]))
        check = one.check
        assert (check.holds(start[check.number]), check.holds(done[check.number])) == (False, True), one.name
        answer = start[one.answer]
        right = answer if one.guess else exercises.find_right_choice(one, start)
        assert exercises.judge(one, right, start).is_right
        if one.guess:
            assert one.guess.low <= answer <= one.guess.high
            wrong = [answer / one.guess.factor - 1, answer * one.guess.factor + 1]
        else:
            wrong = [k for k in range(len(one.choices)) if k != right]
        verdicts = [exercises.judge(one, prediction, start) for prediction in wrong]
        assert not any(verdict.is_right for verdict in verdicts)
        assert all(verdict.why and "{" not in verdict.why for verdict in verdicts), one.name
        # The view opens where the numbers begin.
        begun = {
            value.chosen: value.start
            for n in one.numbers.values()
            for value in n.__pydantic_extra__.values()
            if isinstance(value, exercises.Chosen)
        }
        linked = {name: one.view.choices[name] for name in begun if name in one.view.choices}
        assert {name: type(begun[name])(text) for name, text in linked.items()} == {k: begun[k] for k in linked}


def test_the_guide_names_every_field_and_quantity():
    guide = (exercises.FOLDER / "README.md").read_text()
    for line in map(quantities.describe, quantities.QUANTITIES):
        assert line.split(": ")[0] in guide
    parts = (exercises.Exercise, exercises.View, exercises.Choice, exercises.Guess, exercises.Check)
    fields = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    assert [field for field in fields if f"`{field}`" not in guide] == []


WRONG = {
    "no TOML": ("title = ", "title = ="),
    "title": ('title = "', 'titel = "'),
    "minutes": ("task = ", "minutes = 0\ntask = "),
    "hints": ("hints = [", "hints = 3 #"),
    "formula: ": ("answer = ", "formula = 3\nanswer = "),
    "is no page; allowed are": ('page = "mechanisms"', 'page = "../app"'),
    "there is no quantity “nonsense”; allowed are": ("contributing_pairs", "nonsense"),
    "it takes size": ("size = 4, noise", "sizes = 4, noise"),
    "not allowed": ("size = 4, noise = 0.3 }", "size = 400, noise = 0.3 }"),
    "the numbers are": ('answer = "share"', 'answer = "shares"'),
    "{nothing}": ("{share:.1%} of the pairs are", "{nothing} of the pairs are"),
    "is not the name of a number": ("{share:.1%} of the pairs are", "{share.real} of the pairs are"),
    "is not the format of a number": ("{share:.1%} of the pairs are", "{share:999999999999} of the pairs are"),
    "this LaTeX can't be read": ("answer = ", "formula = '\\frac{'\nanswer = "),
    "formula: this LaTeX can't": ("answer = ", "formula = '\\text{<script>alert(1)</script>}'\nanswer = "),
    "must be below": ("from = 0.1\nto = 0.5", "from = 0.6\nto = 0.5"),
    "give “from”": ("from = 0.5\n", ""),
    "either [[choices]] or [guess]": ("[[choices]]", "[[choice]]"),
}


@pytest.mark.parametrize("expected", WRONG)
def test_a_wrong_file_is_refused_in_words(expected, tmp_path):
    good = (exercises.FOLDER / "05-pairs.toml").read_text()
    before, after = WRONG[expected]
    assert before in good
    file = tmp_path / "05-pairs.toml"
    file.write_text(good.replace(before, after))
    found, problems = exercises.read_exercises(tuple(VIEWS), tmp_path)
    assert (found, len(problems)) == ([], 1)
    assert "05-pairs.toml" in problems[0]


def test_a_guess_without_a_range_is_refused(tmp_path):
    good = (exercises.FOLDER / "01-components.toml").read_text()
    for changes in ("to = 1e300", "to = 5", "step = 0", "step = nan"):
        name = changes.split(" ")[0]
        (tmp_path / "01-components.toml").write_text(
            re.sub(rf"(\[guess\].*?\n){name} = \S+", rf"\1{changes}", good, flags=re.S)
        )
        assert ": guess" in exercises.read_exercises(tuple(VIEWS), tmp_path)[1][0], changes


def test_wrong_names_large_files_and_ambiguous_answers(tmp_path):
    good = (exercises.FOLDER / "05-pairs.toml").read_text()
    (tmp_path / "05-Pairs.toml").write_text(good)
    (tmp_path / "06-large.toml").write_text(good + "#" * 40_000)
    (tmp_path / "07-bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "08-pairs.toml").write_text(good.replace("from = 0.1\nto = 0.5", "from = 0.01\nto = 0.5"))
    (tmp_path / "09-pairs.toml").write_text(good)
    found, problems = exercises.read_exercises(tuple(VIEWS), tmp_path)
    assert [one.name for one in found] == ["pairs"]
    assert [problem.split(" ")[2] for problem in problems] == [
        "05-Pairs.toml",
        "06-large.toml",
        "07-bytes.toml",
        "09-pairs.toml",
    ]
    with pytest.raises(BadInput, match="2 choices hold the answer"):
        exercises.find_right_choice(found[0], {"share": 0.05})


def test_headings_are_those_of_the_exercises():
    headings = listing.list_headings()
    assert [(one.name, one.title, one.slides) for one in FOUND] == [(h.name, h.title, h.slides) for h in headings]
    # Each belongs to a step of the tour, which links it.
    assert {heading.slides for heading in headings} <= {step.source.split()[-1] for step in steps.STEPS}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("from = 0\nto = 64", "from = 64\nto = 0", "at least one step above"),
        ("beta = 1.0, ", "", "is missing"),
        ("formula = '", r"formula = '\begin{aligned} a &= b \end{aligned} ", "this LaTeX can't be read"),
        ("beta = 8.0", 'beta = "eight"', "it must be a number"),
        ('slides = "25"', 'slides = "25"\nminutes = "ten"', "minutes: it must be a whole number"),
    ],
)
def test_limits_of_numbers_are_told_in_plain_words(before, after, words, tmp_path):
    good = (exercises.FOLDER / "08-collapse.toml").read_text()
    assert before in good
    (tmp_path / "08-collapse.toml").write_text(good.replace(before, after))
    found, problems = exercises.read_exercises(tuple(VIEWS), tmp_path)
    assert not found
    assert words in problems[0]
