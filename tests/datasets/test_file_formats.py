"""Files that a person drops in: read where their meaning is certain, else refused with the file and the line or row."""

import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from core import datasets
from core.analysis.feature_space import get_feature_space
from core.datasets import file_formats
from core.datasets.mnist import CREDITS
from core.errors import DataUnavailable

RANDOM = np.random.RandomState(0)
X = {name: RANDOM.randint(0, 256, (n, 28, 28), np.uint8) for name, n in (("x_train", 30), ("x_test", 20))}
Y = {"y_train": np.arange(30, dtype=np.uint8) % 10, "y_test": np.arange(20, dtype=np.uint8) % 10}
DIGITS = CREDITS["mnist"]["target_names"]
TRAIN = {"split": "train", "label": "a", "text": "apple banana"}
TEST = {"split": "test", "label": "a", "text": "apple"}


@pytest.fixture
def load_mnist(folder):
    """Load MNIST from a file with these arrays."""
    folder.mkdir()

    def load(changes):
        np.savez(folder / "mnist.npz", **{**X, **Y, **changes})
        return datasets.load("mnist")

    return load


def assert_refused(load, argument, *parts):
    """Loading ends with one sentence that holds these parts."""
    with pytest.raises(DataUnavailable, match=r"^[^\n]+$") as refusal:
        load(argument)
    assert all(str(part) in str(refusal.value) for part in parts), str(refusal.value)


def change_pixels(change):
    return {name: change(values) for name, values in X.items()}


def test_pixels_of_other_types_are_the_same_pixels_with_a_note(load_mnist):
    for change, note in (
        (lambda x: x.astype(np.uint16) * 257, "divided by 257"),
        (lambda x: (x / 255).astype(np.float32), "multiplied by 255"),
        (lambda x: x.astype(np.float64), ""),
        (lambda x: x.reshape(len(x), 784, 1), ""),
    ):
        dataset = load_mnist(change_pixels(change))
        np.testing.assert_array_equal(dataset.X_test, X["x_test"].reshape(20, 784), strict=True)
        assert any(note in text for text in dataset.notes) if note else len(dataset.notes) == 1


def change_one(value, dtype=np.float64):
    """A change of one pixel of row 3."""
    changed = change_pixels(lambda x: x.astype(dtype))
    changed["x_train"][3, 5, 5] = value
    return changed


def test_arrays_that_are_no_images_or_labels_are_refused_with_the_file(load_mnist, folder):
    for why, changes in (
        ("1 rows of x_train have pixels that are not finite, first row 3", change_one(np.nan)),
        ("negative, first row 3", change_one(-1, np.int16)),
        ("up to 70,000", change_one(70000)),
        ("none of the scales", change_one(0.5)),
        ("pixels are numbers", change_pixels(lambda x: x.astype(str))),
        ("of two scales", {"x_test": X["x_test"] / 255}),
        ("of two types (", {"x_test": X["x_test"].astype(np.uint16) * 257}),
        ("x_train is uint8 (30, 27, 28) and not (n, 28, 28)", change_pixels(lambda x: x[:, :27])),
        ("y_test has 19 rows for 20 images", {"y_test": Y["y_test"][:19]}),
        ("y_train holds 0.5 in row 0", {"y_train": Y["y_train"] + 0.5}),
        ("y_train is empty in 1 rows", {"y_train": np.array([""] + ["a"] * 29), "y_test": np.array(["a"] * 20)}),
        ("are of two types, numbers and text", {"y_train": np.array(["a"] * 30)}),
        ("all its train rows are equal", change_pixels(np.zeros_like)),
    ):
        assert_refused(load_mnist, changes, folder / "mnist.npz", why)


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


def test_damaged_stored_files_are_named_and_no_pickle_is_read(load_mnist, folder):
    load_mnist({})
    path = folder / "mnist.npz"
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content.replace(b"y_test", b"z_test"), b"\x93NUMPY", b""):
        path.write_bytes(damaged)
        assert_refused(datasets.load, "mnist", f"{path} can't be read")
    assert_refused(load_mnist, {"x_test": np.array([Trap()], dtype=object)}, f"{path} can't be read")
    path, row = folder / "reuters_r8.jsonl.gz", json.dumps(TRAIN).encode()
    for content in (b"no gzip", gzip.compress(row)[:-12], gzip.compress(row), gzip.compress(b"[1]")):
        path.write_bytes(content)
        assert_refused(datasets.load, "reuters-r8", f"{path} can't be read")


def test_labels_are_class_names_of_any_type(load_mnist):
    for change, names, to_codes in (
        (lambda y: y.astype("S1"), DIGITS, lambda y: y),
        (lambda y: np.where(y == 3, -1, y.astype(float)), DIGITS, lambda y: np.where(y == 3, -1, y)),
        (lambda y: 100 - y.astype(int) * 10, tuple(map(str, range(10, 101, 10))), lambda y: 9 - y),
        (lambda y: np.array(["even", "odd"])[y % 2], ("even", "odd"), lambda y: y % 2),
    ):
        dataset = load_mnist({name: change(values) for name, values in Y.items()})
        assert dataset.target_names == names
        assert np.array_equal(dataset.y_train, to_codes(Y["y_train"].astype(int)))
        # The shipped classifier knows no classes but the published ones.
        assert (get_feature_space(dataset).head is not None) == (names == DIGITS)


def test_wrong_file_and_line_of_published_texts_are_named(folder):
    place = folder / "reuters-r8"
    place.mkdir(parents=True)
    train, test = (place / f"r8-{split}-all-terms.txt" for split in ("train", "test"))
    train.write_bytes("\ufeffearn\tprofits rose\r\n\r\ngrain\twheat fell\r\n".encode())
    for content, why in (
        ("grain\twheat\nearn\tcafé\n".encode("latin-1"), "line 2 is not UTF-8 (byte 0xe9 at position 9"),
        (b"grain\twheat\n\nearn wheat\n", "line 3 is no subject, tab and words"),
    ):
        test.write_bytes(content)
        assert_refused(datasets.load, "reuters-r8", test, why, "correct that file")
    # Characters that other programs take for the end of a line are part of it.
    test.write_text("grain\twheat\x0brose\u2028high\n", "utf-8")
    wire = datasets.load("reuters-r8")
    assert (wire.target_names, wire.texts_train) == (("earn", "grain"), ("profits rose", "wheat fell"))
    assert (wire.texts_test, wire.X_test.sum()) == (("wheat\x0brose\u2028high",), 2)


def write_newsgroups(folder, *rows):
    folder.mkdir(exist_ok=True)
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    (folder / "newsgroups20.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))


def test_wrong_rows_of_stored_documents_are_named_by_line(folder):
    for row, why in (
        (b'{"split": "train"', "line 3: it is no JSON"),
        ({**TRAIN, "label": "\ufeff "}, "line 3: its label is no text"),
        ({**TRAIN, "split": "dev"}, "line 3: its split is neither train nor test"),
        (b"[" * 100_000, "line 3"),
    ):
        write_newsgroups(folder, TRAIN, TEST, row)
        assert_refused(datasets.load, "newsgroups", folder / "newsgroups20.jsonl.gz", why)


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(("split", "label", "text", "title"), JSON | st.just("test")))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=60) | (ROWS | JSON).map(lambda row: json.dumps(row).encode()), max_size=4))
def test_any_lines_are_documents_or_are_refused(lines):
    try:
        rows = file_formats.parse_documents(iter([*lines, *(json.dumps(row).encode() for row in (TRAIN, TEST))]))
    except ValueError as error:
        rows, refused = [], str(error)
    assert rows or "line " in refused
    for row in file_formats.clean_documents(rows)[0]:
        assert row["split"] in ("train", "test")
        assert all(row[name].encode() is not None for name in ("split", "label", "text", "title"))


def test_control_characters_and_halves_of_surrogate_pairs_are_replaced_and_counted(folder):
    raw = '{"split": "train", "label": "a", "text": "cherry \ud801"}'.encode("utf-8", "surrogatepass")
    broken = {"split": "train", "label": "a\x1b[31m", "text": "\ud800 apple\udfff", "title": "\u202etitle"}
    write_newsgroups(folder, broken, raw, {**TRAIN, "label": 7, "title": None}, {**TEST, "text": "😀 apple"})
    news = datasets.load("newsgroups")
    assert set(news.target_names) == {"7", "a", "a\ufffd[31m"}
    assert news.texts_train == ("\ufffd apple\ufffd", "cherry \ufffd", "apple banana")
    assert (news.titles_train[0], news.texts_test) == ("\ufffdtitle", ("😀 apple",))
    note = "5 characters in 2 of 4 documents are control characters or no valid Unicode and were replaced."
    assert note in news.notes


def test_matlab_file_that_crashes_its_parser_is_refused(folder):
    file = io.BytesIO()
    savemat(file, {"ff": RANDOM.randint(0, 256, (560, 30), np.uint8)})
    content, place = file.getvalue(), folder / "frey" / "frey_rawface.mat"
    crashing = content[:0xB1] + b"\x0b" + content[0xB2:]  # the type of the matrix's numbers, of which there are 18
    place.parent.mkdir(parents=True)
    for damaged in (crashing, content):
        place.write_bytes(damaged)
        assert_refused(datasets.load, "frey", "Frey faces can't be read", place, "delete that file")
