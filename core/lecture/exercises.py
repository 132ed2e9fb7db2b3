"""Exercises of the lecture, one TOML file each: see assets/exercises/README.md for the fields.

An exercise holds no results: its numbers are quantities (`core.lecture.quantities`), computed when it is shown, and
what is right or wrong follows from them.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import BadInput
from core.lecture import mathml, quantities
from core.lecture.listing import FOLDER

_NAME = re.compile(r"[a-z][a-z0-9]{0,23}")  # of a file after its number, as a link has it
# Python's format of a float without a width, which may be larger than memory.
_FORMAT = re.compile(r"[+ ]?,?(?:\.\d{1,2})?[efgEG%]?")
_MATHML = re.compile(
    "math|none|m(?:row|i|n|o|text|space|style|padded|phantom|enclose|fenced|frac|sqrt|root|sub|sup|subsup|under|over|"
    "underover|multiscripts|prescripts|table|tr|td)"
)
_COMBINED = {"ratio": lambda a, b: a / b, "difference": lambda a, b: a - b}
_MOST_BYTES = 30_000


def _check_template(text: str) -> str:
    """A text with numbers in braces: each a name with a format of a float."""
    try:
        for _, name, form, conversion in string.Formatter().parse(text):
            if name is not None and (conversion or not name.isidentifier()):
                raise ValueError(f"“{{{name:.40}}}” is not the name of a number")
            if not _FORMAT.fullmatch(form or ""):
                raise ValueError(f"“{form:.40}” is not the format of a number")
    except ValueError as problem:
        raise ValueError(f"{problem}; write for example {{share:.1%}} or {{error:.2f}}") from None
    return text


def _check_formula(latex: str) -> str:
    try:
        # An environment that the converter does not know leaves an "&" in the text, which is no MathML; HTML in a text
        # is left as it is.
        parts = list(mathml.parse(latex).iter()) if latex else []
        tags, attributes = {part.tag for part in parts}, {name for part in parts for name in part.attrib}
        is_allowed = all(map(_MATHML.fullmatch, tags)) and not any(re.match("on|href|src", name) for name in attributes)
    except Exception:  # of a dozen classes without a common one
        is_allowed = False
    if not is_allowed:
        raise ValueError("this LaTeX can't be read")
    return latex


Text = Annotated[str, Field(min_length=1, max_length=1200)]
Line = Annotated[str, Field(min_length=1, max_length=160)]
Template = Annotated[Text, AfterValidator(_check_template)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = str | bool | int | float


class _Part(BaseModel):
    """A part of an exercise: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Range(_Part):
    """Values from `low`, included, to `high`, not included; without an end if None."""

    low: Number | None = Field(None, alias="from")
    high: Number | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("give “from”, “to” or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("“from” must be below “to”")
        return self

    def holds(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)


class View(_Part):
    """The page on which the task is done, and the choices that it opens with."""

    page: str
    label: Line
    choices: dict[str, str] = {}


class Choice(_Range):
    """A prediction: right if the answer lies in its range; `why` explains what misleads those who choose it."""

    text: Line
    why: Template


class Guess(_Part):
    """A predicted number: right if it is within a factor of the answer."""

    low: Number = Field(alias="from")
    high: Number = Field(alias="to")
    step: Number = 1.0
    factor: Annotated[float, Field(gt=1, le=10)] = 1.25
    unit: Annotated[str, Field(max_length=20)] = ""
    too_low: Template
    too_high: Template

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        # As many digits as a link keeps.
        if not (self.low >= 0 and self.high < 1e6 and self.step >= 0.001):
            raise ValueError("“from” must be 0 or more, “to” below 1,000,000, and “step” at least 0.001")
        if self.low + self.step > self.high:
            raise ValueError("“to” must be at least one step above “from”")
        return self


class Chosen(_Part):
    """A parameter that is what the person has chosen in the view, or `start` before."""

    chosen: str
    start: Value


class Quantity(_Part):
    """A number: a named quantity with its parameters, or the ratio or difference of two earlier numbers."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Chosen | Value]

    quantity: str
    of: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        allowed = (*quantities.QUANTITIES, *_COMBINED)
        if self.quantity not in allowed:
            raise ValueError(f"there is no quantity “{self.quantity:.40}”; allowed are {', '.join(allowed)}")
        if (self.quantity in _COMBINED) != (self.of is not None):
            raise ValueError("“of” gives the two numbers of a ratio or difference, and of nothing else")
        if self.of is None:
            quantities.check(self.quantity, self.get_parameters({}))
        return self

    def get_parameters(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters, where the person's choices (name in the address -> value) stand for `Chosen` ones."""
        return {
            name: chosen.get(value.chosen, value.start) if isinstance(value, Chosen) else value
            for name, value in (self.__pydantic_extra__ or {}).items()
        }


class Check(_Range):
    """What the person does in the view, and the range of a number that shows that it is done."""

    task: Text
    number: str
    met: Template
    unmet: Template


class Exercise(_Part):
    """An exercise; `name` is that of its file."""

    name: str
    title: Line
    slides: Annotated[str, Field(max_length=20)]
    minutes: Annotated[int, Field(ge=1, le=60)] = 10
    task: Template
    question: Template
    hints: Annotated[list[Template], Field(min_length=1, max_length=5)]
    answer: str
    explanation: Template
    formula: Annotated[str, Field(max_length=600), AfterValidator(_check_formula)] = ""
    view: View
    check: Check
    numbers: dict[str, Quantity]
    choices: Annotated[list[Choice], Field(min_length=2, max_length=6)] | None = None
    guess: Guess | None = None

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if (self.choices is None) == (self.guess is None):
            raise ValueError("give either [[choices]] or [guess]")
        known: list[str] = []
        for name, number in self.numbers.items():
            if missing := set(number.of or ()) - set(known):
                raise ValueError(f"numbers.{name}.of names “{missing.pop()}”, which is not an earlier number")
            known.append(name)
        for field, name in (("answer", self.answer), ("check.number", self.check.number)):
            if name not in known:
                raise ValueError(f"{field} names “{name:.40}”; the numbers are {', '.join(known)}")
        for text in self._list_templates():
            for _, name, _, _ in string.Formatter().parse(text):
                if name is not None and name not in known:
                    raise ValueError(f"a text names {{{name:.40}}}; the numbers are {', '.join(known)}")
        return self

    def _list_templates(self) -> list[str]:
        texts = [self.task, self.question, *self.hints, self.explanation, self.check.met, self.check.unmet]
        texts += [self.guess.too_low, self.guess.too_high] if self.guess else []
        return texts + [choice.why for choice in self.choices or ()]

    @property
    def source(self) -> str:
        """``"slide 6"`` or ``"slides 17–19"``."""
        return f"slide{'' if self.slides.isdecimal() else 's'} {self.slides}"

    @cached_property
    def followed(self) -> tuple[str, ...]:
        """Names in the address of the choices of the view on which its numbers depend."""
        extras = [value for number in self.numbers.values() for value in (number.__pydantic_extra__ or {}).values()]
        return tuple(dict.fromkeys(value.chosen for value in extras if isinstance(value, Chosen)))


@dataclass(frozen=True)
class Verdict:
    """Whether a prediction is right, and the text that explains the misconception where it is not."""

    is_right: bool
    why: str


def compute_numbers(exercise: Exercise, chosen: Mapping[str, Any]) -> dict[str, float]:
    """All numbers of an exercise, given what the person has chosen in the view; BadInput if one can't be computed."""
    values: dict[str, float] = {}
    for name, number in exercise.numbers.items():
        try:
            if number.of is not None:
                values[name] = _COMBINED[number.quantity](*(values[part] for part in number.of))
            else:
                values[name] = quantities.compute(number.quantity, number.get_parameters(chosen))
        except ZeroDivisionError:
            raise BadInput(f"In the exercise “{exercise.title}”, the number {name} divides by 0.") from None
        except BadInput as problem:
            raise BadInput(f"In the exercise “{exercise.title}”, the number {name} is missing: {problem}") from None
    return values


def find_right_choice(exercise: Exercise, values: Mapping[str, float]) -> int:
    """Index of the choice whose range holds the answer; BadInput unless exactly one does."""
    answer = values[exercise.answer]
    holding = [k for k, choice in enumerate(exercise.choices or ()) if choice.holds(answer)]
    if len(holding) != 1:
        raise BadInput(
            f"In the exercise “{exercise.title}”, {len(holding)} choices hold the answer {answer:.4g}: it must be one."
        )
    return holding[0]


def describe_answer(exercise: Exercise, values: Mapping[str, float]) -> str:
    """The right prediction in words: the text of a choice, or ``"67 components"``."""
    if exercise.guess is None:
        return exercise.choices[find_right_choice(exercise, values)].text
    return f"{values[exercise.answer]:.3g} {exercise.guess.unit}".strip()


def judge(exercise: Exercise, prediction: float, values: Mapping[str, float]) -> Verdict:
    """Judge a prediction: the index of a choice, or a guessed number."""
    if exercise.guess is None:
        right, index = find_right_choice(exercise, values), int(prediction)
        return Verdict(index == right, fill(exercise.choices[index].why, values))
    answer, factor = values[exercise.answer], exercise.guess.factor
    if prediction * factor < answer:
        return Verdict(False, fill(exercise.guess.too_low, values))
    if prediction > answer * factor:
        return Verdict(False, fill(exercise.guess.too_high, values))
    return Verdict(True, "")


def fill(template: str, values: Mapping[str, float]) -> str:
    """A text with its numbers: ``"{share:.1%} of the pairs"`` -> ``"0.4% of the pairs"``."""
    parts = []
    for text, name, form, _ in string.Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(format(values[name], form or ".3g").replace("-", "−"))
    return "".join(parts)


def read_exercise(file: Path, pages: Collection[str]) -> Exercise:
    """An exercise from its file, for the `pages` that it may open; BadInput names the file, the field and the rule."""
    name = file.stem.split("-", 1)[-1]
    where = f"The exercise {file.name} can't be read: "
    try:
        if not _NAME.fullmatch(name):
            raise BadInput("its name must be a number, a hyphen and up to 24 small letters and digits: 03-pairs.toml.")
        if file.stat().st_size > _MOST_BYTES:
            raise BadInput(f"it has more than {_MOST_BYTES:,} bytes.")
        document = tomllib.loads(file.read_text("utf-8"))
        exercise = Exercise.model_validate({**document, "name": name})
        if exercise.view.page not in pages:
            raise BadInput(f"view.page “{exercise.view.page:.40}” is no page; allowed are {', '.join(pages)}.")
        return exercise
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{where}{getattr(error, 'strerror', None) or 'it is no UTF-8 text'}.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where}it is no TOML ({error}).") from None
    except ValidationError as error:
        raise BadInput(where + _describe(error)) from None
    except BadInput as problem:
        raise BadInput(f"{where}{problem}") from None


def _describe(error: ValidationError) -> str:
    """The first problem of a document: its field, and what is allowed there."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("Chosen", "str", "int", "float", "bool"))
    message = quantities.describe_problem(first)
    if first["type"] == "extra_forbidden":
        message = "there is no such field; see assets/exercises/README.md"
    return f"{field:.80}: {message:.400}." if field else f"{message:.400}."


def read_exercises(pages: Collection[str], folder: Path = FOLDER) -> tuple[list[Exercise], list[str]]:
    """All exercises of a folder by the names of their files, and a sentence for each file that can't be read."""
    found, problems = [], []
    for file in sorted(folder.glob("*.toml")):
        try:
            exercise = read_exercise(file, pages)
            if exercise.name in (other.name for other in found):
                raise BadInput(f"The exercise {file.name} has the name of another one.")
            found.append(exercise)
        except BadInput as problem:
            problems.append(str(problem))
    return found, problems
