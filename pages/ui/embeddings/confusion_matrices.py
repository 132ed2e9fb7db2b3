"""Confusion matrices of a kNN classifier, one a method, and the rows of a clicked cell."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import combinations

import numpy as np
import streamlit as st

from core.analysis import neighbourhoods
from core.analysis.rows import Rows
from core.errors import BadInput, HourglassError
from core.metrics import confusion
from core.metrics.confusion import Confusion
from core.types import Measurement
from pages.ui.embeddings import neighbours
from pages.ui.shared import export, page_state, tables
from pages.ui.shared.components import do_nothing, get_component
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.number_format import number
from pages.ui.shared.text import join_words, plain, shorten

_MOST_SHOWN = 40
_LONGEST_NAME = 24
_CELL = "hourglass.cell-seen"


@dataclass(frozen=True)
class ClassifiedRows:
    """Labelled rows of a data set and their positions under several methods.

    Attributes
    ----------
    key : changes with the rows and the methods.
    y : (n,) class; -1 for a row that takes no part.
    names : of the classes.
    codes : label of a method -> (n, d) positions among which neighbours are searched.
    where : the space of these positions, such as ``"the 2-D map"``.
    row : what a row is, see `core.types.ROW_NAMES`.
    find_rows : returns the rows in the order of `y`, or None if they can't be had.
    select : takes the positions of a cell's rows when it is clicked.
    """

    key: str
    y: np.ndarray
    names: Sequence[str]
    numbers: np.ndarray
    codes: Mapping[str, np.ndarray]
    where: str
    row: str
    dataset: str
    find_rows: Callable[[], Rows | None]
    select: Callable[[np.ndarray], None] | None = None

    @property
    def labels(self) -> list[int]:
        """The classes of the rows."""
        return [label for label in np.unique(self.y).tolist() if label >= 0]

    def name_class(self, label: int) -> str:
        """The name of a class, shortened."""
        return shorten(str(self.names[label]), _LONGEST_NAME)


def draw(data: ClassifiedRows, problems: list[str]) -> None:
    """Draw the matrices of all classes and of one pair, and the accuracy by class."""
    predictions = _predict(data, data.y)
    if not predictions:
        return
    n = max(int((predicted != confusion.NOT_ASKED).sum()) for predicted in predictions.values())
    about = (
        f"Each of {n:,} {data.row}s is assigned the most frequent class among its {neighbourhoods.K} nearest other "
        f"{data.row}s in {data.where} (leave-one-out). Rows: true class; columns: predicted class; click a cell to see "
        f"its {data.row}s."
    )
    draw_text(about)
    _draw_matrices("all", data, predictions)
    if len(data.labels) > 2:
        pair = _choose_pair(data, predictions, problems)
        y_pair = np.where(np.isin(data.y, pair), data.y, -1)
        a, b = map(data.name_class, pair)
        st.markdown(f"**{plain(f'{a} v. {b}')}**, by a classifier of these two classes only")
        if of_pair := _predict(data, y_pair):
            st.markdown(plain(_compare(y_pair, of_pair)))
            _draw_matrices("pair", data, of_pair, ", of these two classes")
    else:
        st.markdown(plain(_compare(data.y, predictions)))
    _draw_by_class(data, predictions)
    label, name, key = "Download accuracies as CSV", "hourglass-confusion.csv", page_state.key("confusion-csv")
    about = "Accuracy of each class and of each pair of classes under each method, with 95% interval and n."
    st.download_button(label, lambda: _to_csv(data, predictions), name, "text/csv", key, about, on_click="ignore")


def _choose_pair(data: ClassifiedRows, predictions: Mapping[str, np.ndarray], problems: list[str]) -> tuple[int, int]:
    """Draw the choice: the link's pair, else the last one, else the most confused classes."""
    labels, memory = data.labels, f"pair/{data.dataset}"
    widgets = page_state.key("pair-first"), page_state.key("pair-second")
    if (linked := page_state.read_link("pair")) is not None:
        pair = [int(part) for part in linked.split("-") if part.isdecimal() and len(part) < 6]
        if len(pair) == 2 and pair[0] != pair[1] and set(pair) <= set(labels):
            st.session_state.update(zip(widgets, pair, strict=True))
        else:
            problems.append(f"The link asks for the pair of classes “{shorten(linked, 20)}”, which is not shown.")
    remembered = page_state.recall(memory)
    usual = remembered if remembered and set(remembered) <= set(labels) else _find_most_confused(data, predictions)
    chosen: list[int] = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for widget, title, default in zip(widgets, ("Pair of classes", "and"), usual, strict=True):
            offered = [label for label in labels if label not in chosen]
            if st.session_state.get(widget) not in offered:
                st.session_state[widget] = default if default in offered else offered[0]
            chosen.append(st.selectbox(title, offered, format_func=data.name_class, key=widget, width=180))
    first, second = chosen
    page_state.keep("pair", (first, second), text=f"{first}-{second}", memory=memory)
    return first, second


def _find_most_confused(data: ClassifiedRows, predictions: Mapping[str, np.ndarray]) -> tuple[int, int]:
    counts = np.zeros((max(data.labels) + 1,) * 2, int)
    for predicted in predictions.values():
        wrong = (predicted != confusion.NOT_ASKED) & (predicted != data.y)
        np.add.at(counts, (data.y[wrong], predicted[wrong]), 1)
    both = counts + counts.T
    a, b = np.unravel_index(both.argmax(), both.shape)
    return (int(a), int(b)) if both.max() else (data.labels[0], data.labels[1])


def _predict(data: ClassifiedRows, y: np.ndarray) -> dict[str, np.ndarray]:
    """Predicted classes by method; draws why a method has none."""
    predictions, refused = {}, []
    for method, Z in data.codes.items():
        try:
            predictions[method] = neighbourhoods.predict_classes(Z, y)
        except BadInput as problem:
            refused.append(f"{method}: {problem}")
    if refused:
        st.caption(plain(" ".join(refused)))
    return predictions


def _draw_matrices(name: str, data: ClassifiedRows, predictions: Mapping[str, np.ndarray], which: str = "") -> None:
    """Draw the matrices, and the rows of the cell that was clicked last, if it is one of them."""
    matrices = {method: confusion.count_confusions(data.y, predicted) for method, predicted in predictions.items()}
    methods = list(matrices)
    classes = sorted(set().union(*(matrix.classes.tolist() for matrix in matrices.values())))
    key = page_state.key(f"confusion/{name}")
    matrices_id = f"{data.key}/{'-'.join(map(str, classes))}"
    cell = _parse_cell((st.session_state.get(key) or {}).get("cell"), matrices_id, len(methods), len(classes))
    message = {
        "id": matrices_id,
        "what": data.row,
        "names": [data.name_class(label) for label in classes],
        "chosen": ":".join(map(str, cell)),
        "matrices": [_make_message(method, matrix, classes) for method, matrix in matrices.items()],
    }
    get_component("confusion")(data=message, key=key, on_cell_change=do_nothing)
    if not cell:
        return
    method, true, predicted = methods[cell[0]], classes[cell[1]], classes[cell[2]]
    positions = np.flatnonzero((data.y == true) & (predictions[method] == predicted))
    sent = st.session_state[key]["cell"]
    if data.select and st.session_state.get(_CELL) != sent:
        st.session_state[_CELL] = sent
        data.select(positions)
    n, shown = len(positions), neighbours.thin(positions, _MOST_SHOWN)
    s, subset = "s" if n != 1 else "", f"; {len(shown)} of them" if len(shown) < n else ""
    assigned = "correctly" if true == predicted else f"as {data.name_class(predicted)}"
    title = f"{n:,} {data.row}{s} of class {data.name_class(true)} predicted {assigned} by {method}"
    st.markdown(f"**{plain(f'{title}{which}{subset}')}**")
    _draw_rows(data, shown)


def _parse_cell(sent: object, matrices_id: str, n_methods: int, n_classes: int) -> tuple[int, ...]:
    """Method, true and predicted class of the clicked cell, by number; () if it is not of these matrices."""
    place = re.fullmatch(r"(.+?):\d{1,19}:(\d{1,9}):(\d{1,9}):(\d{1,9})", sent) if isinstance(sent, str) else None
    if place is None or place[1] != matrices_id:
        return ()
    method, *cell = map(int, place.groups()[1:])
    return (method, *cell) if method < n_methods and max(cell) < n_classes else ()


def _make_message(method: str, matrix: Confusion, classes: Sequence[int]) -> dict:
    at = [classes.index(label) for label in matrix.classes.tolist()]
    counts = np.zeros((len(classes), len(classes)), int)
    counts[np.ix_(at, at)] = matrix.counts
    shares = {place: matrix.of_class(k) for k, place in enumerate(at)}
    return {
        "title": method,
        "note": f"accuracy {number(matrix.accuracy.value)} ({_format_interval(matrix.accuracy)})",
        "counts": counts.tolist(),
        "shares": [number(shares[k].value) if k in shares else "" for k in range(len(classes))],
        "intervals": [_format_interval(shares[k]) if k in shares else "" for k in range(len(classes))],
    }


def _draw_by_class(data: ClassifiedRows, predictions: Mapping[str, np.ndarray]) -> None:
    drawer = st.expander("Accuracy by class", key=page_state.key("confusion-classes"), on_change="rerun")
    if not drawer.open:
        return
    matrices = {method: confusion.count_confusions(data.y, predicted) for method, predicted in predictions.items()}

    def make_cell(matrix: Confusion, label: int) -> tables.Cell:
        at = np.flatnonzero(matrix.classes == label)
        return tables.estimate(*astuple(matrix.of_class(int(at[0])))) if len(at) else tables.EMPTY

    rows = []
    for label in data.labels:
        rows.append([tables.text(data.name_class(label)), *(make_cell(matrix, label) for matrix in matrices.values())])
    of_all = [tables.estimate(*astuple(matrix.accuracy)) for matrix in matrices.values()]
    with drawer:
        tables.draw(["Class", *matrices], [*rows, [tables.text("All classes"), *of_all]], "accuracy-by-class")


def _format_interval(share: Measurement) -> str:
    return f"{number(share.low)} to {number(share.high)}, n = {share.n:,}"


def _compare(y: np.ndarray, predictions: Mapping[str, np.ndarray]) -> str:
    """The accuracies, the best first, and which of them are significantly lower."""
    compared = confusion.compare_accuracy(y, predictions)
    if not compared:
        return "No row has a position under every method, so the methods can't be compared."
    accuracies = [f"{m.name} {number(m.accuracy.value)} ({_format_interval(m.accuracy)})" for m in compared]
    best, parts = compared[0].name, []
    if lower := [method.name for method in compared[1:] if method.is_lower]:
        parts.append(f"{best} is significantly more accurate than {join_words(lower)}")
    if tied := [method.name for method in compared[1:] if not method.is_lower]:
        parts.append(f"{join_words([best, *tied])} are not significantly different")
    verdict = f" {'; '.join(parts)} (95% paired bootstrap interval of the difference)." if parts else ""
    return f"Accuracy: {'; '.join(accuracies)}.{verdict}"


def _draw_rows(data: ClassifiedRows, shown: np.ndarray) -> None:
    rows = None
    with suppress(HourglassError):
        rows = data.find_rows()
    if rows is None:
        st.markdown(plain(f"Test {data.row}s {', '.join(f'{k:,}' for k in data.numbers[shown])}."))
    elif rows.image_shape:
        st.html(neighbours.make_strip(rows, shown))
    else:
        st.html(neighbours.make_titles(rows, shown, rows.name_row))


def _to_csv(data: ClassifiedRows, predictions: Mapping[str, np.ndarray]) -> bytes:
    import pandas as pd

    lines: list[tuple[str, str, Measurement]] = []
    for method, predicted in predictions.items():
        matrix = confusion.count_confusions(data.y, predicted)
        lines.append((method, "all", matrix.accuracy))
        for k, label in enumerate(matrix.classes.tolist()):
            lines.append((method, str(data.names[label]), matrix.of_class(k)))
        for a, b in combinations(data.labels, 2):
            y = np.where(np.isin(data.y, (a, b)), data.y, -1)
            with suppress(BadInput):
                of_pair = neighbourhoods.predict_classes(data.codes[method], y)
                accuracy = confusion.count_confusions(y, of_pair).accuracy
                lines.append((method, f"{data.names[a]} against {data.names[b]}", accuracy))
    frame = pd.DataFrame([(method, classes, *astuple(share)) for method, classes, share in lines])
    return export.frame_to_csv(frame, ["method", "classes", "accuracy", "low", "high", "n"]).encode()
