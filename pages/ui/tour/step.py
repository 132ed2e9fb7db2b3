"""A step of the tour, and the links that it offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from pages.ui.shared.experiment import Controls


@dataclass(frozen=True)
class Link:
    """A link: page, label, and the choices that it opens with."""

    page: str
    label: str
    choices: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """A topic of the lecture.

    Attributes
    ----------
    name : in the addresses of its controls, ``"<name>.<control>"``.
    source : where it stands in the lecture, ``"Slides 4–5"``.
    text : what the lecture says, at most three sentences.
    formulas : LaTeX.
    symbols : LaTeX of a symbol in the formulas -> what it means, without a full stop.
    look_for : what to try with the picture and what it then shows.
    picture : ``"<module>.<function>"`` in `pages.ui.tour.pictures`: draws the picture and its one control from
        `Controls`, and returns the finding, a sentence with the numbers of the picture.
    is_wide : whether the picture takes the whole width, with the explanation below it.
    minutes, notes : of the lecturer.
    """

    name: str
    source: str
    title: str
    text: str
    links: tuple[Link, ...]
    formulas: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)
    look_for: str = ""
    picture: str = ""
    is_wide: bool = False
    minutes: int = 3
    notes: str = ""

    def load_picture(self) -> Callable[[Controls], str] | None:
        """The function that draws the picture, imported when it is first asked for."""
        if not self.picture:
            return None
        module, _, function = self.picture.rpartition(".")
        return getattr(import_module(f"pages.ui.tour.pictures.{module}"), function)


def link_demo(name: str, label: str, **choices: str) -> Link:
    """A link to a concept demo with these choices."""
    own = {f"{name}.{key}": value for key, value in choices.items()}
    return Link("pages/mechanisms.py", label, {"experiment": name, **own})


def link_mnist(page: str, label: str, **choices: str) -> Link:
    """A link to a page with MNIST and these choices."""
    return Link(f"pages/{page}.py", label, {"data": "mnist", **choices})
