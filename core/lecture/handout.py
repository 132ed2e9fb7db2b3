"""The hand-out: steps of the lecture, exercises with answers, and glossary as one HTML file for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape

from core import datasets
from core.errors import BadInput, HourglassError
from core.lecture import exercises, figures, glossary, notebooks
from core.lecture.exercises import Exercise, fill
from core.lecture.figures import Figure
from core.lecture.mathml import to_mathml

# No page size: A4 and Letter, whichever is in the printer.
_STYLE = """
@page { margin: 16mm 17mm; }
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: #fff; color: #000;
  font: 11pt/1.4 Georgia, "Times New Roman", serif; }
h1, h2, h3, .note, figcaption, th, b { font-family: "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 20pt; margin: 0 0 .3rem; } h2 { font-size: 15pt; margin: 1.6rem 0 .4rem; }
h3 { font-size: 12pt; margin: 1.1rem 0 .2rem; }
h1, h2, h3 { break-after: avoid; line-height: 1.2; }
p { margin: .35rem 0; orphans: 3; widows: 3; }
.note { font-size: 9pt; font-weight: 400; }
section, .exercise, figure, table, .answer { break-inside: avoid; }
section:has(pre) { break-inside: auto; }
pre { font: 8.5pt/1.3 Consolas, Menlo, monospace; white-space: pre-wrap; border: 1px solid #888; padding: .4rem .6rem;
  orphans: 8; widows: 8; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.new-page { break-before: page; }
figure { margin: .5rem 0; } figcaption { font-size: 9pt; }
figure svg { width: 10cm; max-width: 100%; height: auto; }
.picture { display: inline-block; vertical-align: top; margin-right: .5rem; max-width: 100%; }
.picture b { display: block; font-size: 9pt; } .picture img { max-width: 100%; max-height: 10cm; }
.picture:has(b) img { width: 5cm; }
math { font-size: 1.05em; }
:is(munder, munderover) > :nth-child(2) { padding-top: .2em; } munderover > :nth-child(3) { padding-bottom: .2em; }
 .formula { margin: .3rem 0; overflow-x: auto; }
table { border-collapse: collapse; font-size: 10pt; } td { padding: .05rem .8rem .05rem 0; vertical-align: top; }
.choices { list-style: "☐ "; padding-left: 1.4rem; margin: .3rem 0; }
.lines { border-bottom: 1px solid #000; height: 1.5rem; }
dt { font-weight: 700; margin-top: .4rem; } dd { margin: 0; }
@media print { body { padding: 0; max-width: none; } a { color: inherit; text-decoration: none; } }
"""


# Step of the tour -> its code in assets/code
CODES = {"code-ae": "autoencoder", "code-vae": "vae", "code-gan": "gan"}


@dataclass(frozen=True)
class Section:
    """A topic of the lecture in print; formulas and symbols, symbol -> meaning, are LaTeX.

    `name` is that of its figure in `core.lecture.figures.FIGURES`.
    """

    name: str
    source: str
    title: str
    text: str
    formulas: Sequence[str] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)


def render(title: str, about: str, sections: Sequence[Section], found: Sequence[Exercise]) -> str:
    """The hand-out as a document that needs no other file: sections with figures, exercises, answers, glossary."""
    # A lecturer's own exercise may be about runs on another computer.
    solved = [each for exercise in found if (each := _solve(exercise))]
    parts = [f"<h1>{escape(title)}</h1><p class='note'>{escape(about)}</p>"]
    parts += [_render_section(section) for section in sections]
    parts.append("<h1 class='new-page'>Exercises</h1>")
    parts += [_render_exercise(k, each) for k, each in enumerate(solved, 1)]
    parts.append("<h1 class='new-page'>Answers</h1>")
    parts += [_render_answer(k, each) for k, each in enumerate(solved, 1)]
    terms = "".join(f"<dt>{escape(term.name)}</dt><dd>{escape(term.definition)}</dd>" for term in glossary.read_terms())
    parts.append(f"<h1 class='new-page'>Glossary</h1><dl>{terms}</dl>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    licences = "; ".join(f"{entry.label}: {entry.licence}" for entry in map(datasets.entry, figures.DATASETS))
    parts.append(f"<p class='note'>Data in the figures. {escape(licences)}.</p>")
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


@dataclass(frozen=True)
class _Solved:
    """An exercise with its numbers and its answer in words."""

    exercise: Exercise
    values: Mapping[str, float]
    answer: str


def _solve(exercise: Exercise) -> _Solved | None:
    """Compute the numbers of an exercise; None where they can't be computed here."""
    with suppress(BadInput):
        values = exercises.compute_numbers(exercise, {})
        return _Solved(exercise, values, exercises.describe_answer(exercise, values))
    return None


def _render_section(section: Section) -> str:
    head = f"<h2>{escape(section.title)} <span class='note'>{escape(section.source)}</span></h2>"
    formulas = "".join(f"<div class='formula'>{to_mathml(formula)}</div>" for formula in section.formulas)
    rows = [
        f"<tr><td>{to_mathml(symbol, is_block=False)}</td><td>{escape(meaning)}</td></tr>"
        for symbol, meaning in section.symbols.items()
    ]
    symbols = f"<table>{''.join(rows)}</table>" if rows else ""
    figure = ""
    if draw := figures.FIGURES.get(section.name):
        # Without its figure, as where a file of it is missing, a step is worth printing.
        with suppress(HourglassError):
            figure = _render_figure(draw())
    code = _render_code(CODES[section.name]) if section.name in CODES else ""
    return f"<section>{head}<p>{escape(section.text)}</p>{formulas}{symbols}{figure}{code}</section>"


def _render_code(name: str) -> str:
    return f"<pre>{escape(notebooks.read_code(name))}</pre>" if name in notebooks.list_names() else ""


def _render_figure(figure: Figure) -> str:
    return f"<figure>{figure.picture}<figcaption>{escape(figure.caption)}</figcaption></figure>"


def _render_exercise(number: int, solved: _Solved) -> str:
    exercise, values = solved.exercise, solved.values
    about = f"{exercise.source}, {exercise.minutes} minutes"
    head = f"<h3>{number}. {escape(exercise.title)} <span class='note'>{escape(about)}</span></h3>"
    texts = f"<p>{_fill(exercise.task, values)}</p><p><b>{_fill(exercise.question, values)}</b></p>"
    if exercise.guess is None:
        items = "".join(f"<li>{escape(choice.text)}</li>" for choice in exercise.choices)
        prediction = f"<ul class='choices'>{items}</ul>"
    else:
        prediction = f"<p>Your prediction: ____________ {escape(exercise.guess.unit)}</p>"
    view = f"<p><b>Try it.</b> {escape(exercise.view.label)}. {escape(exercise.check.task)}</p>"
    return f"<div class='exercise'>{head}{texts}{prediction}{view}{'<div class=lines></div>' * 2}</div>"


def _render_answer(number: int, solved: _Solved) -> str:
    exercise = solved.exercise
    formula = f"<div class='formula'>{to_mathml(exercise.formula)}</div>" if exercise.formula else ""
    head = f"<h3>{number}. {escape(exercise.title)}</h3>"
    texts = f"<p><b>{escape(solved.answer)}</b></p><p>{_fill(exercise.explanation, solved.values)}</p>"
    return f"<div class='answer'>{head}{texts}{formula}</div>"


def _fill(template: str, values: Mapping[str, float]) -> str:
    return escape(fill(template, values))
