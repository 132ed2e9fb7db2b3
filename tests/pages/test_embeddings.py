"""Embeddings under AppTest: which rows and maps are chosen, what the maps are sent, what is shown of a selection."""

import base64
import csv
import io
import re
import zlib

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import datasets, drawings, projecting, specs, store
from core.datasets import samples
from core.experiments import load_dataset
from core.metrics import embedding
from core.types import IMAGES, Dataset, DataUnavailable, HourglassError
from pages.ui import links, selection
from pages.ui import loaded as page
from tests.pages.conftest import HOSTILE, fit, hostile_documents, opened_on, shown_text, weighted_lsa
from tests.pages.linked_maps import SENT, choose, message, pictures, query, standing_out, titles


def embeddings(**query: str) -> AppTest:
    return opened_on("pages/embeddings.py", **query)


def again(app: AppTest) -> AppTest:
    """As a new visitor opens the link that the page shows."""
    return embeddings(**query(app))


def said(app: AppTest) -> str:
    parts = [*app.info, *app.warning, *app.error, *app.caption, *app.markdown]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    """The tables that were offered for download, the last one last."""
    offered = []

    def kept(view, positions, of=selection.csv_of):
        offered.append(of(view, positions))
        return offered[-1]

    monkeypatch.setattr(selection, "csv_of", kept)
    return offered


def parsed(tables: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables[-1].decode())))


@pytest.fixture
def documents(runs, monkeypatch):
    """Documents whose titles and classes are hostile."""
    made = hostile_documents()
    monkeypatch.setattr(page.datasets, "load", lambda name, **params: made)
    page.dataset.clear()
    page.rows_of.clear()
    yield made
    page.dataset.clear()
    page.rows_of.clear()


def test_opens_on_maps_of_the_same_rows(runs):
    app = embeddings(data="digits")
    assert not app.exception
    assert not app.warning
    header, arrays = message(app)
    digits = datasets.load("digits")
    assert titles(app) == ["PCA 2-D", "AE 2-D", "t-SNE of the rows", "GAN features"]
    assert np.array_equal(arrays["rows"], np.arange(500))
    assert np.array_equal(arrays["labels"], digits.y_test)
    assert header["names"] == list("0123456789")
    _, arrays = pictures(app)
    sprite = np.asarray(Image.open(io.BytesIO(arrays["sprite"].tobytes())))
    columns = pictures(app)[0]["columns"]
    for k in (0, 123, 499):
        top, left = 8 * (k // columns), 8 * (k % columns)
        assert np.array_equal(sprite[top : top + 8, left : left + 8].ravel(), digits.X_test[k])
    assert "all 500 test rows" in said(app)


def test_the_points_of_a_map_are_the_codes(runs):
    app = embeddings(data="digits", maps="pca-2.direct,ae-2.direct")
    _, arrays = message(app)
    spec = specs.make("digits", "pca", {"n_components": 2})
    codes = store.estimator(store.find(spec.key)).transform(load_dataset(spec).floats("test"))
    drawn = arrays["map0"].reshape(-1, 2).astype(float)
    for axis in (0, 1):
        assert np.corrcoef(drawn[:, axis], codes[:, axis])[0, 1] > 0.99999
    spread = codes.std(axis=0)
    assert drawn.std(axis=0)[1] / drawn.std(axis=0)[0] == pytest.approx(spread[1] / spread[0], rel=1e-3)


def test_the_numbers_under_a_map_are_those_of_its_points(runs):
    app = embeddings(data="digits", maps="pca-2.direct,ae-2.direct")
    spec = specs.make("digits", "pca", {"n_components": 2})
    digits, run = datasets.load("digits"), store.read(store.find(spec.key))
    correct = embedding.among_correct(run.views["map"], digits.y_test)
    (name, value, more, help_), (other, *_) = message(app)[0]["maps"][0]["figures"]
    assert (name, other) == ("kNN accuracy", "Trustworthiness")
    assert float(value) == pytest.approx(correct.mean(), abs=0.0006)
    assert "n = 500" in more
    assert "other" in help_


def test_all_maps_stand_in_one_table(runs):
    app = embeddings(data="digits", maps="pca-2.direct,ae-10.pca,ae-10.tsne")
    text = shown_text(app)
    run = store.read(store.find(specs.make("digits", "pca", {"n_components": 2}).key))
    for measure in ("Continuity", "Linear probe", "Silhouette", "k-means, adjusted Rand", "k-means, mutual info"):
        assert measure in text
    assert f"{run.metrics['kmeans_ari']:.3f}" in text
    assert text.count("scope='col'>AE 10-D<") == 1, "two maps of one run are one column"


def test_a_selection_is_shown_row_by_row(runs, tables):
    app = choose(embeddings(data="digits"), [3, 7, 400])
    assert not app.exception
    assert message(app)[0]["selected"] == [3, 7, 400]
    digits = datasets.load("digits")
    rows = parsed(tables)
    assert [int(row["row"]) for row in rows] == [3, 7, 400]
    assert [row["class"] for row in rows] == [digits.target_names[digits.y_test[k]] for k in (3, 7, 400)]
    assert 'alt="Test rows 3, 7, 400"' in shown_text(app)
    spec = specs.make("digits", "pca", {"n_components": 2})
    run = store.read(store.find(spec.key))
    assert [float(row["PCA 2-D reconstruction error"]) for row in rows] == pytest.approx(
        run.views["rows.squared_error"][[3, 7, 400]].tolist(), rel=1e-5
    )
    assert [float(row["PCA 2-D x"]) for row in rows] == pytest.approx(run.views["map"][[3, 7, 400], 0].tolist())


def test_the_montage_holds_the_selected_images(runs):
    app = choose(embeddings(data="digits"), [3, 7, 400])
    digits = datasets.load("digits")
    body = next(e.proto.body for e in app.get("html") if "hg-montage" in e.proto.body)
    data = re.search(r"base64,([^\"]+)", body)[1]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))[:, :, 0]
    scale = 112 // 8
    for place, k in enumerate((3, 7, 400)):
        left = place * (8 * scale + 4)
        shown = picture[: 8 * scale : scale, left : left + 8 * scale : scale]
        assert np.array_equal(shown.ravel(), digits.X_test[k])


def test_one_row_is_shown_with_its_neighbours_under_each_method(runs):
    app = choose(embeddings(data="digits", maps="pca-2.direct,ae-2.direct"), [42])
    run = store.read(store.find(specs.make("digits", "pca", {"n_components": 2}).key))
    codes = run.views["codes"].astype(float)
    distances = ((codes - codes[42]) ** 2).sum(axis=1)
    distances[42] = np.inf
    nearest = np.argsort(distances, kind="stable")[:10]
    assert message(app)[0]["maps"][0]["near"] == nearest.tolist()
    other = message(app)[0]["maps"][1]["near"]
    assert f"Both share {len(set(nearest) & set(other))} of 10." in said(app)
    for k in nearest:
        assert f'alt="test row {k}"' in shown_text(app)


def test_the_whole_view_is_in_the_link(runs):
    app = embeddings(data="digits", maps="ae-10.pca,pca-2.direct", split="train", rows="300", align="yes")
    choose(app, [1, 5, 9])
    numbers = message(app)[1]["rows"][[1, 5, 9]]
    there = again(app)
    assert not there.warning
    assert titles(there) == ["AE 10-D", "PCA 2-D"]
    header, arrays = message(there)
    assert (header["split"], len(arrays["rows"])) == ("train", 300)
    assert np.array_equal(arrays["rows"][header["selected"]], numbers)
    assert header["maps"][1]["note"].endswith("aligned to the first map")


def test_more_than_500_selected_rows_are_not_in_the_link_and_that_is_said(runs):
    app = choose(embeddings(data="digits", split="train", rows="600"), range(501))
    assert "selected" not in query(app)
    assert "these 501 are not in it" in said(app)
    assert "selected" in query(choose(app, range(500), turn=2))


def test_a_selection_outlives_other_maps_and_more_rows(runs, tables):
    app = choose(embeddings(data="digits", split="train", rows="300"), [10, 20])
    numbers = message(app)[1]["rows"][[10, 20]]
    next(b for b in app.selectbox if b.label == "Rows").set_value("1000").run()
    header, arrays = message(app)
    assert len(arrays["rows"]) == 1000
    assert np.array_equal(arrays["rows"][header["selected"]], numbers)
    assert [int(row["row"]) for row in parsed(tables)] == numbers.tolist()
    app.multiselect[0].set_value(app.multiselect[0].value[:2]).run()
    assert np.array_equal(message(app)[1]["rows"][message(app)[0]["selected"]], numbers)


def test_nothing_stale_is_selected_on_another_split_and_back(runs):
    app = choose(embeddings(data="digits"), [3, 7])
    split = next(g for g in app.get("button_group") if g.label == "Split")
    split.set_value("train").run()
    assert message(app)[0]["selected"] == []
    assert "No row is selected" in said(app)
    assert "selected" not in query(app)


@pytest.mark.parametrize("sent", ["nonsense", "a:b:c", 7, {"x": 1}, None, "::", "x" * 100_000])
def test_nonsense_from_the_browser_selects_nothing(runs, sent):
    app = embeddings(data="digits")
    header, _ = message(app)
    for value in (sent, f"{header['id']}:1:{sent}"):
        app.session_state[SENT] = {"selection": value}
        app.run()
        assert not app.exception
        assert message(app)[0]["selected"] == []


@pytest.mark.parametrize("name", ["data", "split", "rows", "maps", "colour", "align", "selected", "between", "and"])
@pytest.mark.parametrize("value", ["nonsense", "<b>$x$</b>", "9" * 5000, "-1", ""])
def test_nonsense_in_a_link_is_a_sentence(runs, name, value):
    app = embeddings(**{"data": "digits", "colour": "overlap", name: value})
    assert not app.exception
    assert message(app)[1]["rows"].size


@pytest.mark.parametrize(
    ("asked", "shown", "sentence"),
    [
        ("50000", 500, "50,000 rows can't be drawn: choose from 2 to 10,000"),
        ("1", 2, "1 rows can't be drawn"),
        ("2", 2, ""),
        ("lots", 500, "“lots” is no number of rows"),
    ],
)
def test_how_many_rows_is_checked_in_words(runs, asked, shown, sentence):
    app = embeddings(data="digits", rows=asked)
    assert not app.exception
    assert len(message(app)[1]["rows"]) == shown
    assert sentence in said(app)


def test_a_problem_is_still_said_once_the_maps_are_measured(runs):
    app = embeddings(data="digits", rows="497", maps="pca-2.direct,ae-2.direct,nonsense.pca")
    assert message(app)[0]["maps"][0]["figures"], "measured by now"
    assert "The link asks for the map “nonsense.pca”" in said(app)
    assert "nonsense" not in said(app.run())


def test_where_nothing_is_trained_the_way_to_training_is_shown(no_shipped_runs):
    app = embeddings(data="digits")
    assert not app.exception
    assert "No method is trained on Digits 8x8 yet" in said(app)
    assert "Train a method on it" in [link.label for link in app.get("page_link")]


def test_two_rows_can_be_selected_and_measured_as_far_as_that_goes(runs, tables):
    app = choose(embeddings(data="digits", rows="2"), [0, 1])
    assert not app.exception
    assert message(app)[0]["maps"][0]["figures"] == []
    assert len(parsed(tables)) == 2
    assert not choose(app, [1], turn=2).exception


def test_fewer_than_two_maps_are_not_compared(runs):
    app = embeddings(data="digits", maps="pca-2.direct")
    assert "Choose 2 to 4 maps" in said(app)
    assert titles(app) == ["PCA 2-D"]
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    with pytest.raises(StopIteration):
        message(app)


def test_a_linked_run_that_is_not_here_is_offered_for_training(runs):
    spec = specs.make("digits", "vae", {"n_components": 7})
    app = embeddings(data="digits", maps=f"pca-2.direct,{links.encode(spec)}.pca")
    assert not app.exception
    assert titles(app) == ["PCA 2-D", f"VAE 7-D ({spec.key[:4]})"]
    assert "Not trained yet" in message(app)[0]["maps"][1]["absent"]
    assert query(again(app))["maps"] == query(app)["maps"]


def test_a_run_of_another_copy_of_the_data_is_left_out_in_words(runs, monkeypatch):
    real = page.maps.check_same_data

    def another(run, rows):
        if run.spec.method == "ae":
            object.__setattr__(rows, "checksum", "0" * 64)
        real(run, rows)

    monkeypatch.setattr(page.maps, "check_same_data", another)
    page.rows_of.clear()
    app = embeddings(data="digits", maps="pca-2.direct,ae-2.direct")
    page.rows_of.clear()
    assert "trained on another copy of the data" in message(app)[0]["maps"][1]["absent"]
    assert message(app)[0]["maps"][0]["absent"] == ""


def test_data_that_are_not_here_are_said_to_be(runs, monkeypatch):
    def absent(name, **params):
        raise DataUnavailable("It is not here; connect and try again.")

    monkeypatch.setattr(page.datasets, "load", absent)
    page.dataset.clear()
    page.rows_of.clear()
    app = embeddings(data="digits")
    assert not app.exception
    assert "It is not here; connect and try again." in said(app)


@pytest.fixture
def no_mnist(monkeypatch):
    """Full MNIST is not here; shipped runs are."""
    page.rows_of.clear()
    monkeypatch.setattr(page.datasets, "available", lambda name: name != "mnist")
    yield
    page.rows_of.clear()


def test_the_shipped_sample_stands_in_for_mnist(no_mnist):
    app = embeddings(data="mnist", maps="pca-2.direct,ae-2.direct")
    assert not app.exception
    assert not app.info
    assert np.array_equal(message(app)[1]["rows"], samples.read("mnist-sample")["rows_test"])
    app = embeddings(data="mnist", maps="pca-2.direct,ae-2.direct", rows="10000")
    assert "not on this machine yet" in said(app)
    assert len(message(app)[1]["rows"]) == 2000


def test_a_data_set_is_downloaded_on_request_and_what_goes_wrong_is_said(no_mnist, monkeypatch):
    asked = []

    def refused(name, progress):
        asked.append(name)
        progress(1_000_000, 11_000_000)
        raise DataUnavailable("The server does not answer.")

    monkeypatch.setattr(page.datasets, "fetch", refused)
    app = embeddings(data="mnist", maps="pca-2.direct,ae-2.direct", split="train")
    next(b for b in app.button if b.label == "Download MNIST").click().run()
    assert asked == ["mnist"]
    assert not app.exception
    assert "The server does not answer." in said(app)
    assert "1.0 of 11.0 MB" in app.get("progress")[0].proto.text
    assert message(app)[0]["split"] == "test"


def test_disagreement_colours_the_maps_and_lists_the_rows(runs):
    app = embeddings(data="digits", maps="pca-2.direct,ae-2.direct", colour="overlap")
    header, arrays = message(app)
    found = []
    for method in ("pca", "ae"):
        spec = specs.make(
            "digits", method, {"n_components": 2, **({"epochs": 2, "width": 32} if method == "ae" else {})}
        )
        Z = store.read(store.find(spec.key)).views["codes"].astype(np.float64)
        distances = ((Z[:, None] - Z[None]) ** 2).sum(axis=2)
        np.fill_diagonal(distances, np.inf)
        found.append([set(row) for row in np.argsort(distances, axis=1, kind="stable")[:, :15]])
    shared = np.array([len(a & b) / len(a | b) for a, b in zip(*found, strict=True)])
    assert header["ramp"]["label"] == "Disagreement of PCA 2-D and AE 2-D"
    assert arrays["values"] == pytest.approx((1 - shared) * 63, abs=0.51)
    next(b for b in app.button if b.label == "Select these rows in the maps").click().run()
    chosen = message(app)[0]["selected"]
    assert len(chosen) == 24
    assert shared[chosen].max() <= np.sort(shared)[23]


def test_disagreement_needs_two_methods(runs):
    app = embeddings(data="digits", maps="pca-2.direct", colour="overlap")
    assert not app.exception
    assert "Disagreement needs the codes of two methods" in said(app)


def test_a_tsne_map_of_a_code_is_made_on_request(runs, monkeypatch):
    asked = []
    monkeypatch.setattr(projecting, "start", asked.append)
    app = embeddings(data="digits", maps="pca-2.direct,ae-10.tsne")
    assert "not made yet" in message(app)[0]["maps"][1]["absent"]
    next(b for b in app.button if b.label == "Make the t-SNE map of AE 10-D").click().run()
    assert asked[0].shape == (500, 10)
    monkeypatch.setattr(projecting, "state", lambda name: projecting.State(points=np.eye(500, 2, dtype=np.float32)))
    app.run()
    assert message(app)[0]["maps"][1]["absent"] == ""
    assert message(app)[0]["maps"][1]["note"] == "the 10-D code, projected by t-SNE"


def test_a_tsne_map_that_cannot_be_begun_is_said_to_be(runs, monkeypatch):
    def full(Z):
        raise HourglassError("There is no room: free some space.")

    monkeypatch.setattr(projecting, "start", full)
    app = embeddings(data="digits", maps="pca-2.direct,ae-10.tsne")
    next(b for b in app.button if b.label == "Make the t-SNE map of AE 10-D").click().run()
    assert "There is no room: free some space." in said(app)


def test_a_tsne_map_that_is_being_made_shows_how_far_it_is(runs, monkeypatch):
    stopped = []
    monkeypatch.setattr(projecting, "stop", stopped.append)
    monkeypatch.setattr(projecting, "state", lambda name: projecting.State(share=0.4))
    app = embeddings(data="digits", maps="pca-2.direct,ae-10.tsne")
    assert app.get("progress")[0].proto.value == 40
    next(b for b in app.button if b.label == "Stop").click().run()
    assert stopped


def test_ones_own_drawing_is_placed_by_every_method_that_can(runs):
    app = embeddings(data="digits", maps="pca-2.direct,ae-10.pca,gan-16.pca,tsne-2.direct")
    app.session_state["pages/embeddings.py:own"] = True
    seven = np.array([[60, 60], [190, 60], [110, 210]], np.uint8)
    app.session_state["pages/embeddings.py:own-pad"] = {"strokes": drawings.pack([seven])}
    app.run()
    assert not app.exception
    header, arrays = message(app)
    row = drawings.as_row(drawings.rasterise([seven]), "digits", (8, 8))
    pca = store.estimator(store.find(specs.make("digits", "pca", {"n_components": 2}).key))
    digits = datasets.load("digits")
    ours, theirs = pca.transform(row[None] / 255)[0], pca.transform(digits.floats("test"))
    drawn = arrays["map0"].reshape(-1, 2).astype(float)
    scale = np.polyfit(theirs[:, 0], drawn[:, 0], 1)
    assert header["maps"][0]["star"][0] == pytest.approx(np.polyval(scale, ours[0]), abs=80)
    assert all(header["maps"][k]["star"] for k in (0, 1, 2))
    assert header["maps"][3]["star"] is None
    assert "can't place it" in said(app)


def test_an_empty_pad_and_a_blank_image_are_said_to_be(runs):
    app = embeddings(data="digits")
    app.session_state["pages/embeddings.py:own"] = True
    app.run()
    assert not app.exception
    assert "It becomes a row like those of the data" in said(app)
    app.session_state["pages/embeddings.py:own-pad"] = {"strokes": "nonsense!"}
    assert not app.run().exception


def test_documents_show_what_they_say_as_text(documents, tables):
    app = choose(embeddings(data="docstrings"), [0, 3, 6, 9])
    assert not app.exception
    assert titles(app) == ["LSA 2-D", "AE 2-D", "VAE 2-D"]
    assert message(app)[0]["names"] == [f"<b>subject {k}</b>" for k in range(3)]
    assert pictures(app)[0]["texts"][0][0] == HOSTILE
    text = shown_text(app)
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<b>subject" not in text
    assert parsed(tables)[0]["title"] == HOSTILE


def test_the_words_that_stand_out_are_those_of_the_selected_subject(documents):
    app = embeddings(data="docstrings")
    labels = message(app)[1]["labels"]
    choose(app, np.flatnonzero(labels == 1))
    words = standing_out(app)
    assert len(words) >= 8
    assert all(word.startswith("b") for word in words[:8])


def test_one_row_of_documents_lists_its_neighbours(documents):
    app = choose(embeddings(data="docstrings"), [5])
    assert not app.exception
    assert "nearest neighbours of test document 5" in said(app)


def test_a_map_of_lsa_under_a_weaker_weighting_is_named_so(documents, fitted, tmp_path, monkeypatch):
    for place in fitted.iterdir():
        (tmp_path / place.name).symlink_to(place)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    other = weighted_lsa(tmp_path, "log")
    app = embeddings(data="docstrings", maps=f"lsa-2.direct,{links.encode(other.spec)}.direct")
    assert not app.exception
    assert titles(app) == ["LSA 2-D", f"LSA (log counts) 2-D ({other.key[:4]})"]


def test_a_data_set_with_one_class_is_not_measured_by_class(runs, monkeypatch):
    real = datasets.load("digits")
    one = type(real)(**{**real.__dict__, "y_test": np.zeros_like(real.y_test), "y_train": np.zeros_like(real.y_train)})
    object.__setattr__(one, "checksum", real.checksum)
    monkeypatch.setattr(page.datasets, "load", lambda name, **params: one)
    page.dataset.clear()
    page.rows_of.clear()
    app = choose(embeddings(data="digits", rows="400"), [1, 2])
    page.dataset.clear()
    page.rows_of.clear()
    assert not app.exception
    assert [figure[0] for figure in message(app)[0]["maps"][0]["figures"]] == ["Trustworthiness"]


def test_data_without_classes_are_shown_in_one_colour(no_shipped_runs, tmp_path, monkeypatch, tables):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (120, 560)).astype(np.uint8)
    none = np.full(120, -1)
    bare = Dataset("frey", IMAGES, images, none, images[:60], none[:60], (), "none", "none", image_shape=(28, 20))
    monkeypatch.setattr(page.datasets, "load", lambda name, **params: bare)
    monkeypatch.setattr(page.datasets, "available", lambda name: True)
    page.dataset.clear()
    page.rows_of.clear()
    fit(tmp_path, bare, "pca", {"n_components": 2})
    fit(tmp_path, bare, "pca", {"n_components": 3})
    app = choose(embeddings(data="frey"), [1, 2])
    page.dataset.clear()
    page.rows_of.clear()
    assert not app.exception
    assert message(app)[0]["names"] == []
    assert (message(app)[1]["labels"] == -1).all()
    assert "class" not in parsed(tables)[0]


def test_a_zip_bomb_in_a_link_selects_nothing(runs):
    bomb = base64.urlsafe_b64encode(zlib.compress(b"\0" * 10_000_000, 9)).decode().rstrip("=")
    app = embeddings(data="digits", selected=bomb)
    assert not app.exception
    assert "none is selected" in said(app)
