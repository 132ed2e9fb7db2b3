"""Embeddings under AppTest: the rows and maps that are chosen, the messages to the maps, the selected rows."""

import base64
import csv
import io
import json
import re
import zlib
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.datasets import embedded_samples, user_image
from core.errors import DataUnavailable, HourglassError
from core.runs import reader, store
from core.tasks import computation, tsne_projection
from pages.ui.embeddings import selection
from pages.ui.shared import cached
from tests.pages.conftest import HOSTILE, hostile_documents, stored
from tests.pages.driver import opened_on
from tests.pages.linked_maps import SENT, choose, message, pictures, titles

MAPS = "pca-2.direct,ae-2.direct"
BOMB = base64.urlsafe_b64encode(zlib.compress(b"\0" * 10_000_000, 9)).decode().rstrip("=")


def embeddings(**query: str):
    return opened_on("pages/embeddings.py", **{"data": "digits", **query})


def fitted_pca():
    return reader.read_estimator(store.find_place(stored("pca", 2).key))


def leave_one_out(Z, y):
    return cross_val_predict(KNeighborsClassifier(15, algorithm="brute"), Z, y, cv=LeaveOneOut())


@pytest.fixture
def read_table(monkeypatch):
    """Read the CSV file that was offered last."""
    offered = []
    monkeypatch.setattr(selection.st, "download_button", lambda label, data, *_, **__: offered.append(data))
    return lambda: list(csv.DictReader(io.StringIO(offered[-1]().decode())))


def test_first_view_has_a_map_of_each_method(runs):
    app = embeddings()
    assert not app.warning
    assert titles(app) == ["PCA 2-D", "AE 2-D", "t-SNE of the rows", "GAN features"]
    app.expect("Digits 8x8: all 500 test rows, the same in every map. In a good embedding, similar rows are close.")
    digits, (header, arrays) = datasets.load("digits"), message(app)
    assert header["names"] == list("0123456789")
    assert np.array_equal(arrays["rows"], np.arange(500))
    assert np.array_equal(arrays["labels"], digits.y_test)
    header, arrays = pictures(app)
    sprite = np.asarray(Image.open(io.BytesIO(arrays["sprite"].tobytes())))
    for k in (0, 123, 499):
        top, left = 8 * (k // header["columns"]), 8 * (k % header["columns"])
        assert np.array_equal(sprite[top : top + 8, left : left + 8].ravel(), digits.X_test[k])


def test_points_and_scores_are_those_of_the_latent_codes(runs):
    app, digits, run = embeddings(maps=MAPS), datasets.load("digits"), stored("pca", 2)
    header, arrays = message(app)
    spaces = arrays["map0"].reshape(-1, 2).astype(float), fitted_pca().transform(digits.floats("test"))
    places, codes = (Z - Z.mean(axis=0) for Z in spaces)
    assert np.abs(places / places.std() - codes / codes.std()).max() < 1e-3
    (name, value, interval, _), (other, *_) = header["maps"][0]["figures"]
    assert (name, other) == ("kNN accuracy of the map", "Trustworthiness of map")
    y = digits.y_test
    assert float(value) == pytest.approx((leave_one_out(run.views["map"], y) == y).mean(), abs=0.0006)
    assert interval.endswith("n = 500")
    app.set_state("quality").expect("Silhouette", f"{run.metrics['kmeans_ari'].value:.3f}")
    app.multiselect[0].set_value([]).run()


def test_selected_rows_are_pictures_and_a_table(runs, read_table):
    chosen = [3, 7, 400]
    app = choose(embeddings(), chosen)
    assert message(app)[1]["selected"].tolist() == chosen
    digits, views, table = datasets.load("digits"), stored("pca", 2).views, read_table()
    assert [(int(row["row"]), row["class"]) for row in table] == [(k, str(digits.y_test[k])) for k in chosen]
    for column, values in (("reconstruction error", views["rows.squared_error"]), ("x", views["map"][:, 0])):
        assert [float(row[f"PCA 2-D {column}"]) for row in table] == pytest.approx(values[chosen], rel=1e-5)
    data = re.search(r"base64,([^\"]+)", app.body_with('alt="Test rows 3, 7, 400"'))[1]
    picture, side = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))[:, :, 0], 112
    for place, k in enumerate(chosen):
        left = place * (side + 4)
        assert np.array_equal(picture[: side : side // 8, left : left + side : side // 8].ravel(), digits.X_test[k])


def test_one_row_has_its_neighbours_under_each_method(runs):
    app = choose(embeddings(maps=MAPS), [42])
    Z = stored("pca", 2).views["codes"].astype(float)
    distances = ((Z - Z[42]) ** 2).sum(axis=1)
    distances[42] = np.inf
    nearest = np.argsort(distances, kind="stable")[:10]
    of_pca, of_ae = (sent["near"] for sent in message(app)[0]["maps"])
    assert of_pca == nearest.tolist()
    app.expect(f"Both methods share {len(set(nearest) & set(of_ae))} of 10.", *(f'alt="test row {k}"' for k in nearest))


def test_link_has_rows_maps_and_selection(runs):
    app = choose(embeddings(maps="ae-10.pca,pca-2.direct", split="train", rows="600", align="yes"), [1, 5, 9])
    numbers = message(app)[1]["rows"][[1, 5, 9]]
    linked = embeddings(**app.query())
    assert not linked.warning
    assert titles(linked) == ["AE 10-D", "PCA 2-D"]
    header, arrays = message(linked)
    assert (header["split"], len(arrays["rows"])) == ("train", 600)
    assert np.array_equal(arrays["rows"][arrays["selected"]], numbers)
    assert header["maps"][1]["note"].endswith("aligned to the first map")
    choose(app, range(501), turn=2).expect("these 501 are not in it")
    assert "selected" not in app.query()


def test_forged_messages_and_nonsense_in_a_link_change_nothing(runs):
    app = embeddings(maps=MAPS)
    rows_id = message(app)[0]["id"]
    look = json.dumps({"id": rows_id, "hidden": 1, "zooms": [], "turn": 1})
    for state in ({"selection": 7}, {"selection": f"{rows_id}:1:nonsense"}, {"look": 7}, {"look": look}):
        app.set_state(SENT, state)
        assert message(app)[1]["selected"].size == 0
        assert message(app)[0]["look"] == {"hidden": [], "zooms": {}, "enlarged": ""}
    names = ("split", "rows", "maps", "colour", "align", "selected", "between", "and", "classes", "zoom", "enlarged")
    for value in ("<b>$x$</b>", "-1", BOMB):
        app = embeddings(**dict.fromkeys(names, value))
        assert message(app)[1]["rows"].size
        assert app.warning


def test_shipped_rows_stand_in_for_data_that_are_not_here(computed, monkeypatch):
    def refuse(name, progress):
        progress(1_000_000, 11_000_000)
        raise DataUnavailable("The server does not answer.")

    monkeypatch.setattr(cached.datasets, "is_available", lambda name: name != "mnist")
    monkeypatch.setattr(cached.datasets, "fetch", refuse)
    shipped = embedded_samples.read_sample("mnist-sample")["rows_test"]
    for split, note in (("test", ""), ("train", "not on this machine yet")):
        app = embeddings(data="mnist", maps="pca-2.direct", split=split).expect(note)
        assert bool(app.info) == bool(note)
        assert np.array_equal(message(app)[1]["rows"], shipped)
        assert message(app)[0]["split"] == "test"
    app.press("Download MNIST").expect("The server does not answer.")
    assert "1.0 of 11.0 MB" in app.get("progress")[0].proto.text


def test_tsne_map_of_a_code_is_computed_on_request(runs, monkeypatch):
    def state(**about):
        monkeypatch.setattr(computation.Work, "read_state", lambda work, key: computation.State(**about))
        monkeypatch.setattr(computation.Work, "find_result", lambda work, key: about.get("arrays"))

    start, stop = Mock(side_effect=[None, HourglassError("There is no room: free some space.")]), Mock()
    monkeypatch.setattr(tsne_projection, "start_map", start)
    monkeypatch.setattr(computation.Work, "stop", stop)
    app = embeddings(maps="pca-2.direct,ae-10.tsne")
    assert "Not computed yet" in message(app)[0]["maps"][1]["absent"]
    app.press("Compute the t-SNE map of AE 10-D")
    assert start.call_args.args[0].shape == (500, 10)
    app.press("Compute the t-SNE map of AE 10-D").expect("There is no room: free some space.")
    state(share=0.4)
    assert app.run().get("progress")[0].proto.value == 40
    app.press("Stop")
    stop.assert_called_once()
    state(arrays={"points": np.eye(500, 2, dtype=np.float32)})
    sent = message(app.run())[0]["maps"][1]
    assert (sent["absent"], sent["note"]) == ("", "the 10-D code, projected by t-SNE")


def test_own_drawing_is_a_star_in_every_map(runs):
    app = embeddings(maps="pca-2.direct,ae-10.pca,gan-16.pca,tsne-2.direct")
    app.set_state("own").set_state("own-pad", {"strokes": "nonsense!"})
    seven = np.array([[60, 60], [190, 60], [110, 210]], np.uint8)
    app.set_state("own-pad", {"strokes": user_image.pack_strokes([seven])})
    header, arrays = message(app)
    row, test = user_image.to_row(user_image.rasterise_strokes([seven]), "digits", (8, 8)), datasets.load("digits")
    code, *codes = fitted_pca().transform(np.concatenate([row[None] / 255, test.floats("test")]))[:, 0]
    line = np.polyfit(codes, arrays["map0"].reshape(-1, 2).astype(float)[:, 0], 1)
    assert header["maps"][0]["star"][0] == pytest.approx(np.polyval(line, code), abs=80)
    assert all(sent["star"] for sent in header["maps"])


def test_documents_are_shown_as_text_with_distinctive_words(runs, computed, read_table, monkeypatch):
    documents = hostile_documents()
    monkeypatch.setattr(cached.datasets, "load", lambda name, **params: documents)
    app = choose(embeddings(data="docstrings"), [0, 3, 6, 9])
    assert titles(app) == ["LSA 2-D", "AE 2-D", "VAE 2-D"]
    assert message(app)[0]["names"] == [f"<b>subject {k}</b>" for k in range(3)]
    assert pictures(app)[0]["texts"][0][0] == read_table()[0]["title"] == HOSTILE
    app.expect("&lt;img src=x onerror=alert(1)&gt;")
    assert not re.search("<img src=x|<b>subject", app.read_html())
    choose(app, np.flatnonzero(message(app)[1]["labels"] == 1), turn=2)
    words = re.findall(r">(\w+)</span>", app.body_with("Distinctive words").split("hg-words")[1])
    assert {word[0] for word in words[:8]} == {"b"}
    choose(app, [5], turn=3).expect("nearest neighbours of test document 5")
    arrays = message(embeddings(data="docstrings", colour="length"))[1]
    assert np.array_equal(arrays["exact"], documents.X_test[arrays["rows"]].sum(axis=1))


def test_scores_are_of_the_classes_shown(runs):
    header, arrays = message(embeddings(maps=MAPS, classes="7,9"))
    assert header["look"]["hidden"] == [0, 1, 2, 3, 4, 5, 6, 8]
    Z, y = stored("pca", 2).views["map"], arrays["labels"]
    at = np.flatnonzero(np.isin(y, (7, 9)))
    _, value, note, _ = header["maps"][0]["figures"][0]
    assert float(value) == pytest.approx((leave_one_out(Z[at], y[at]) == y[at]).mean(), abs=0.0006)
    assert note.endswith(f"n = {len(at)}, 2 of 10 classes")


def test_cell_of_a_confusion_matrix_selects_its_rows(runs):
    def matrices(name: str) -> dict:
        proto = next(c.proto for c in app.get("bidi_component") if f"confusion/{name}" in c.proto.id)
        return json.loads(proto.json)

    app = embeddings(maps=MAPS, confusion="yes", pair="7-9")
    Z, y = stored("pca", 2).views["map"], message(app)[1]["labels"]
    predicted = leave_one_out(Z, y)
    counts = confusion_matrix(y, predicted)
    at = np.flatnonzero(np.isin(y, (7, 9)))
    of_pair = confusion_matrix(y[at], leave_one_out(Z[at], y[at]))
    shown = [matrices(name)["matrices"][0]["counts"] for name in ("all", "pair")]
    assert shown == [counts.tolist(), of_pair.tolist()]
    assert matrices("pair")["names"] == ["7", "9"]
    i, j = np.argwhere(counts * (1 - np.eye(10, dtype=int)))[0]
    app.set_state("confusion/all", {"cell": f"{matrices('all')['id']}:1764336000000:0:{i}:{j}"})
    wanted = np.flatnonzero((y == i) & (predicted == j)).tolist()
    assert message(app.expect(*(f'alt="test row {k}"' for k in wanted)))[1]["selected"].tolist() == wanted
    app.set_state("confusion/all", {"cell": "nonsense:1:77:0:0"}).press("Show only 7 and 9 in the maps")
    assert message(app)[0]["look"]["hidden"] == [0, 1, 2, 3, 4, 5, 6, 8]


def test_maps_are_coloured_by_error_and_by_split(runs):
    errors = message(embeddings(maps=MAPS, colour="error"))[1]["exact"]
    assert errors == pytest.approx(stored("pca", 2).views["rows.squared_error"], rel=1e-5)
    header, arrays = message(embeddings(maps=MAPS, split="both", rows="400", colour="split"))
    assert header["ramp"]["categories"] == ["train", "test"]
    assert np.array_equal(arrays["values"], arrays["isTest"])
    for is_test, split in enumerate(("y_train", "y_test")):
        at = arrays["isTest"] == is_test
        assert at.sum() == 200
        assert np.array_equal(arrays["labels"][at], getattr(datasets.load("digits"), split)[arrays["rows"][at]])
