"""The same rows under several methods, against the data set, scikit-learn, SciPy and direct computations."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial import procrustes
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.manifold import trustworthiness
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from core import config, datasets
from core.analysis import codes, keywords, neighbourhoods, projection
from core.analysis.rows import Rows, check_same_data, load_shipped_rows, select_rows
from core.datasets import bag_of_words, embedded_samples
from core.errors import BadInput
from core.experiments import fit
from core.metrics import bootstrap, embedding
from core.runs import layout, reader, specs, store
from core.types import DOCUMENTS, IMAGES

SMALL = {"epochs": 2, "width": 16, "layers": 1}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Nothing is kept from one test to the next."""
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def corpus():
    """200 documents of two subjects, some of them longer than what is shown of a text."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(200):
        words = [f"{'ab'[k % 2]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 25 + k % 3 * 20)]
        words += [f"all{'abcdefghij'[i]}" for i in rng.integers(0, 10, 10)]
        text = "  \n".join(words)
        rows.append(
            {"split": "test" if k % 4 == k // 4 % 2 else "train", "label": f"s{k % 2}", "title": f"t{k}", "text": text}
        )
    return bag_of_words.build_dataset("docstrings", rows, 2000, licence="none", citation="none")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


def run_of(place, dataset, method, **params):
    spec = specs.make(dataset.name, method, params)
    fit.fit_and_store(spec, dataset, place)
    return reader.read_run(layout.place_of(place, spec))


@pytest.fixture(scope="module")
def pca10(place, digits):
    return run_of(place, digits, "pca", n_components=10)


@pytest.fixture(scope="module")
def ae2(place, digits):
    return run_of(place, digits, "ae", n_components=2, **SMALL)


@pytest.fixture(scope="module")
def gan(place, digits):
    return run_of(place, digits, "gan", epochs=1, width=32, network="mlp")


@pytest.fixture(scope="module")
def lsa(place, corpus):
    return run_of(place, corpus, "lsa", n_components=4)


class Fitted:
    """The estimator of a run, and how often it was built."""

    def __init__(self, place, run):
        self.estimator, self.calls = reader.read_estimator(layout.place_of(place, run.spec)), 0

    def __call__(self):
        self.calls += 1
        return self.estimator


@pytest.fixture
def fitted(place):
    return lambda run: Fitted(place, run)


def made_up(X, y, kind=IMAGES, **about):
    """Rows that are of no data set."""
    n = X.shape[0]
    names = tuple(f"class {k}" for k in range(max(int(np.max(y)) + 1, 1)))
    return Rows("made-up", kind, "test", np.arange(n), n, X, np.asarray(y), names, **about)


# --- Which rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["test", "train"])
def test_rows_are_the_data_sets(digits, split):
    X, y = (digits.X_test, digits.y_test) if split == "test" else (digits.X_train, digits.y_train)
    rows = select_rows(digits, split, 100)
    assert len(rows) == len(np.unique(rows.numbers)) == 100
    assert (np.diff(rows.numbers) > 0).all()
    assert (rows.dataset, rows.kind, rows.split, rows.n_all) == ("digits", IMAGES, split, len(y))
    assert np.array_equal(rows.X, X[rows.numbers])
    assert np.array_equal(rows.y, y[rows.numbers])
    assert np.array_equal(rows.floats(), digits.floats(split)[rows.numbers])
    assert rows.floats().dtype == np.float32
    assert (rows.target_names, rows.image_shape, rows.checksum) == (digits.target_names, (8, 8), digits.checksum)
    # Each class in about its share.
    shares = np.bincount(rows.y) - 100 * np.bincount(y) / len(y)
    assert np.abs(shares).max() <= 1


def test_more_rows_hold_the_fewer_and_no_more_than_there_are(digits):
    for split, n_all in (("test", 500), ("train", 1297)):
        several = [select_rows(digits, split, n) for n in (2, 50, 51, 400, n_all, 10_000)]
        for fewer, more in itertools.pairwise(several):
            assert np.isin(fewer.numbers, more.numbers).all()
        assert [len(rows) for rows in several] == [2, 50, 51, 400, n_all, n_all]
        assert np.array_equal(several[-1].numbers, np.arange(n_all))


def test_documents_have_titles_first_words_and_weights(corpus):
    rows = select_rows(corpus, "test", 30)
    assert np.array_equal(rows.X.toarray(), corpus.X_test[rows.numbers].toarray())
    assert np.array_equal(rows.floats().toarray(), corpus.floats("test")[rows.numbers].toarray())
    for (title, words), k in zip(rows.texts, rows.numbers, strict=True):
        whole = corpus.texts_test[k].split()
        assert title == corpus.titles_test[k]
        assert words == " ".join(whole[:40]) + (" …" if len(whole) > 40 else "")
    assert {words.endswith(" …") for _, words in rows.texts} == {True, False}
    vectorizer = TfidfVectorizer(vocabulary=corpus.vocabulary, sublinear_tf=True).fit(corpus.texts_train)
    expected = vectorizer.transform([corpus.texts_test[k] for k in rows.numbers]).toarray()
    assert rows.vectors.toarray() == pytest.approx(expected, abs=1e-6)
    assert rows.vocabulary == corpus.vocabulary


def test_the_rows_say_which_they_are(digits):
    assert select_rows(digits, "test", 9999).summary == "all 500 test rows"
    some = select_rows(digits, "train", 20)
    assert some.summary == "20 of 1,297 train rows, a stratified sample"
    assert replace(some, target_names=("face",)).summary == "20 of 1,297 train rows, drawn at random"


def test_the_key_changes_with_the_rows(digits):
    first = select_rows(digits, "test", 20)
    assert first.key == select_rows(digits, "test", 20).key
    others = [select_rows(digits, "test", 21), select_rows(digits, "train", 20)]
    others += [replace(first, checksum="another"), replace(first, dataset="another"), replace(first, n_all=501)]
    assert len({each.key for each in [first, *others]}) == 6


@pytest.mark.parametrize(
    ("split", "n", "sentence"),
    [
        ("test", 1, "1 rows can't be drawn: choose from 2 to 10,000"),
        ("test", 50_000, "50,000 rows can't be drawn: choose from 2 to 10,000"),
        ("train", 0, "0 rows can't be drawn"),
        ("train", -5, "-5 rows can't be drawn"),
        ("valid", 100, "There is no split 'valid': choose test, train or both"),
        ("x" * 1000, 100, "There is no split 'x+: choose test, train or both"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused_in_a_sentence(digits, split, n, sentence):
    with pytest.raises(BadInput, match=sentence) as refused:
        select_rows(digits, split, n)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("full", "sample"), [("mnist", "mnist-sample"), ("fashion-mnist", "fashion-sample")])
def test_shipped_rows_stand_for_those_of_the_full_data_set(full, sample):
    of_sample, at = datasets.load(sample), embedded_samples.read(sample)["rows_test"]
    rows, fewer = load_shipped_rows(full, 2000), load_shipped_rows(full, 300)
    assert np.array_equal(rows.numbers, at)
    assert np.array_equal(rows.X, of_sample.X_test)
    assert np.array_equal(rows.y, of_sample.y_test)
    assert (rows.dataset, rows.split, rows.n_all) == (full, "test", 10_000)
    shipped = {run.environment["data_checksum"] for run in store.list_runs()[0] if run.spec.dataset == full}
    assert shipped == {rows.checksum}
    within = np.searchsorted(rows.numbers, fewer.numbers)
    assert np.array_equal(rows.numbers[within], fewer.numbers)
    assert np.array_equal(rows.X[within], fewer.X)
    assert np.array_equal(rows.y[within], fewer.y)
    assert fewer.summary.startswith("300 of 10,000 test rows")
    assert np.abs(np.bincount(fewer.y) - 30).max() <= 1


def test_a_data_set_without_a_shipped_sample_has_no_shipped_rows():
    assert [load_shipped_rows(name, 100) for name in ("digits", "mnist-sample", "frey", "nothing")] == [None] * 4


def test_shipped_rows_are_rows_of_the_full_data_set(full_data):
    mnist = datasets.load("mnist")
    shipped = load_shipped_rows("mnist", 500)
    assert shipped.checksum == mnist.checksum
    assert np.array_equal(mnist.X_test[shipped.numbers], shipped.X)
    assert np.array_equal(mnist.y_test[shipped.numbers], shipped.y)
    assert np.array_equal(select_rows(mnist, "test", 2000).numbers, load_shipped_rows("mnist", 2000).numbers)
    assert np.isin(shipped.numbers, select_rows(mnist, "test", 3000).numbers).all()


def test_a_run_of_another_copy_of_the_data_is_refused(pca10, digits):
    rows = select_rows(digits, "test", 20)
    check_same_data(pca10, rows)
    check_same_data(pca10, replace(rows, checksum=""))
    with pytest.raises(BadInput, match="another copy of the data"):
        check_same_data(pca10, replace(rows, checksum="0" * 64))


# --- Codes --------------------------------------------------------------------------------------------------------


def test_codes_of_train_rows_are_the_estimators_and_are_kept(pca10, digits, fitted, own_cache):
    of, rows = fitted(pca10), select_rows(digits, "train", 60)
    Z, are = codes.compute_codes(pca10, ("a", 1), rows, of)
    assert are == "code"
    assert Z.dtype == np.float32
    assert np.array_equal(Z, of.estimator.transform(digits.floats("train")[rows.numbers]).astype(np.float32))
    again, _ = codes.compute_codes(pca10, ("a", 1), rows, of)
    assert np.array_equal(again, Z)
    assert of.calls == 1
    codes.compute_codes(pca10, ("a", 2), rows, of)
    codes.compute_codes(pca10, ("a", 2), select_rows(digits, "train", 61), of)
    assert of.calls == 3


def test_codes_of_test_rows_come_with_the_run(pca10, digits, fitted):
    of, rows = fitted(pca10), select_rows(digits, "test", 60)
    Z, are = codes.compute_codes(pca10, ("a", 1), rows, of)
    assert (of.calls, are, Z.dtype) == (0, "code", np.float32)
    expected = of.estimator.transform(digits.floats("test")[rows.numbers])
    assert pytest.approx(expected, rel=2**-11, abs=1e-4) == Z


def test_codes_of_test_rows_that_are_not_with_the_run_are_the_estimators(pca10, digits, fitted):
    at = np.arange(0, 500, 3)
    views = pca10.views | {"shown_rows": pca10.views["shown_rows"][at], "codes": pca10.views["codes"][at]}
    part = replace(pca10, views=views)
    of, rows = fitted(pca10), select_rows(digits, "test", 60)
    Z, _ = codes.compute_codes(part, ("a", 1), rows, of)
    assert of.calls == 1
    assert np.array_equal(Z, of.estimator.transform(digits.floats("test")[rows.numbers]).astype(np.float32))


def test_a_gans_codes_are_its_discriminators_features(gan, digits, fitted):
    for split in ("test", "train"):
        of, rows = fitted(gan), select_rows(digits, split, 30)
        for _ in range(2):
            Z, are = codes.compute_codes(gan, ("a", 1), rows, of)
            assert are == "discriminator's features"
            expected = of.estimator.discriminator_features(rows.floats())
            assert pytest.approx(expected, rel=1e-5, abs=1e-6) == Z
        assert of.calls == 1


def test_where_rows_are_shown(pca10, digits):
    rows = select_rows(digits, "test", 60)
    assert np.array_equal(codes.find_positions(pca10, rows), rows.numbers)
    odd = replace(pca10, views={"shown_rows": np.arange(1, 500, 2)})
    assert codes.find_positions(odd, rows) is None
    of_odd = replace(rows, numbers=np.array([3, 99, 499]))
    assert codes.find_positions(odd, of_odd).tolist() == [1, 49, 249]
    assert codes.find_positions(odd, replace(of_odd, split="train")) is None


class Map:
    """What `core.methods.tsne` leaves of given rows."""

    rows_train_, rows_test_ = np.array([2, 5, 7]), np.array([1, 4])
    train_embedding_ = np.array([[2, 20], [5, 50], [7, 70]], np.float32)
    test_embedding_ = np.array([[1, 10], [4, 40]], np.float32)


def test_rows_that_a_map_does_not_hold_have_no_place(digits):
    rows = select_rows(digits, "train", 20)
    found = codes.map_rows(Map(), replace(rows, numbers=np.array([0, 2, 3, 7, 8, 1000])))
    nan = [np.nan, np.nan]
    assert np.array_equal(found, [nan, [2, 20], nan, [7, 70], nan, nan], equal_nan=True)
    assert found.dtype == np.float32
    found = codes.map_rows(Map(), replace(rows, split="test", numbers=np.array([1, 2, 4])))
    assert np.array_equal(found, [[1, 10], nan, [4, 40]], equal_nan=True)
    empty = Map()
    empty.rows_train_, empty.train_embedding_ = np.arange(0), np.zeros((0, 2), np.float32)
    assert np.isnan(codes.map_rows(empty, rows)).all()


def test_codes_of_a_map_are_its_places(pca10, digits):
    run = replace(pca10, spec=replace(pca10.spec, method="tsne"))
    rows = replace(select_rows(digits, "train", 3), numbers=np.array([2, 3, 5]))
    Z, are = codes.compute_codes(run, ("a", 1), rows, Map)
    assert are == "map"
    assert np.array_equal(Z, [[2, 20], [np.nan, np.nan], [5, 50]], equal_nan=True)


# --- The plane ----------------------------------------------------------------------------------------------------


def test_the_plane_of_a_code_is_that_of_the_stored_map_and_of_pca_of_the_train_codes(pca10, digits, fitted):
    estimator = fitted(pca10).estimator
    plane = projection.fit_plane(pca10, lambda: pytest.fail("they are stored"))
    size = float(np.abs(pca10.views["map"]).max())
    shown = plane.points(pca10.views["codes"])
    assert shown.dtype == np.float32
    assert shown == pytest.approx(pca10.views["map"], abs=1e-3 * size)
    Z = estimator.transform(digits.floats("train"))
    expected = PCA(2, svd_solver="full").fit_transform(Z.astype(np.float64))
    found = plane.points(Z)
    for k in range(2):
        sign = np.sign(found[:, k] @ expected[:, k])
        assert found[:, k] == pytest.approx(sign * expected[:, k], abs=1e-3 * size)


def test_the_plane_of_codes_that_are_not_stored(gan, digits, fitted):
    of = fitted(gan)
    rows = select_rows(digits, "test", 500)
    plane = projection.fit_plane(gan, lambda: codes.compute_codes(gan, ("a", 1), rows, of)[0])
    size = float(np.abs(gan.views["map"]).max())
    assert plane.points(codes.compute_codes(gan, ("a", 1), rows, of)[0]) == pytest.approx(
        gan.views["map"], abs=1e-3 * size
    )


def test_the_plane_of_fewer_rows_than_numbers_in_a_code_still_is_that_of_the_stored_map(pca10):
    rng = np.random.default_rng(0)
    train = rng.normal(size=(300, 12)) * np.geomspace(10, 0.1, 12) + 3
    pca = PCA(2).fit(train)
    for n in (13, 12, 8):
        Z = train[:n].astype(np.float16)
        run = replace(pca10, views={"map": pca.transform(train[:n]).astype(np.float32), "codes": Z})
        found = projection.fit_plane(run, lambda: pytest.fail("they are stored"))
        assert found.points(Z) == pytest.approx(run.views["map"], abs=0.02)
        assert np.corrcoef(found.points(train)[:, 0], pca.transform(train)[:, 0])[0, 1] > 0.99


def test_a_code_of_two_numbers_is_its_own_plane(ae2, fitted):
    of = fitted(ae2)
    plane = projection.fit_plane(ae2, lambda: pytest.fail("they are stored"))
    Z = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    assert np.array_equal(plane.points(Z), Z)
    assert plane.points(ae2.views["codes"]) == pytest.approx(ae2.views["map"], rel=1e-3, abs=1e-3)
    assert of.calls == 0


def test_a_code_of_one_number_is_a_line(place, digits):
    run = run_of(place, digits, "pca", n_components=1)
    plane = projection.fit_plane(run, lambda: pytest.fail("they are stored"))
    assert plane.points(np.array([[2.5], [-1.0]])).tolist() == [[2.5, 0], [-1, 0]]
    assert plane.points(run.views["codes"]) == pytest.approx(run.views["map"], rel=1e-3, abs=1e-3)


# --- Alignment ----------------------------------------------------------------------------------------------------


def turned(points, angle, scale, shift, mirrored):
    c, s = np.cos(angle), np.sin(angle)
    return scale * (points * (1, -1 if mirrored else 1)) @ np.array([[c, -s], [s, c]]) + shift


def aligned(points, reference):
    turn = projection.align(points, reference)
    return turn.points(points) if turn else np.asarray(points, np.float32)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_mirrored_scaled_and_shifted_copy_aligns_exactly(mirrored):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2)) * (3, 1) + 5
    copy = turned(points, 2.2, 0.3, (-7, 40), mirrored)
    assert aligned(copy, points) == pytest.approx(points, abs=1e-5)
    assert aligned(points, copy) == pytest.approx(copy, abs=1e-5)
    assert aligned(copy, points).dtype == np.float32
    turn = projection.align(copy, points)
    assert turn.axes.T @ turn.axes == pytest.approx(np.eye(2) / 0.3**2, abs=1e-9)
    assert np.sign(np.linalg.det(turn.axes)) == (-1 if mirrored else 1)


def test_alignment_leaves_the_disparity_of_procrustes():
    rng = np.random.default_rng(1)
    for _ in range(20):
        reference = rng.normal(size=(30, 2)) * rng.uniform(0.1, 10, 2) + rng.normal(size=2)
        points = turned(reference, rng.uniform(0, 6), rng.uniform(0.1, 9), rng.normal(size=2), rng.random() < 0.5)
        points += rng.normal(size=points.shape) * rng.uniform(0, 5)
        _, _, disparity = procrustes(reference, points)
        size = np.square(reference - reference.mean(axis=0)).sum()
        turn = projection.align(points, reference)
        left = np.square(points @ turn.axes + turn.origin - reference).sum()
        assert left / size == pytest.approx(disparity, abs=1e-9)


def test_rows_without_a_place_are_left_out_and_keep_none():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(40, 2))
    copy = turned(points, 1.0, 2.0, (3, 3), True)
    holed, reference = copy.copy(), points.copy()
    holed[[3, 9]], reference[[9, 20]] = np.nan, (np.nan, 5)
    found = aligned(holed, reference)
    known = np.setdiff1d(np.arange(40), [3, 9])
    assert found[known] == pytest.approx(points[known], abs=1e-5)
    assert np.isnan(found[[3, 9]]).all()


@pytest.mark.parametrize("held", [[], [4], [4, 7]])
def test_with_fewer_than_two_common_rows_a_map_stays_as_it_is(held):
    rng = np.random.default_rng(3)
    points, reference = rng.normal(size=(10, 2)).astype(np.float32), np.full((10, 2), np.nan)
    reference[held] = 3 * points[held][:, ::-1] + 1
    found = aligned(points, reference)
    if len(held) < 2:
        assert projection.align(points, reference) is None
        assert np.array_equal(found, points)
    else:
        assert found[held] == pytest.approx(reference[held], abs=1e-5)


@pytest.mark.parametrize("at", [(0.0, 0.0), (0.1, 1 / 3)])
def test_a_map_that_is_one_point_neither_turns_nor_turns_another(at):
    points = np.random.default_rng(4).normal(size=(11, 2)).astype(np.float32)
    one = np.tile(at, (11, 1))
    assert np.array_equal(aligned(points, one), points)
    assert np.array_equal(aligned(one, points), one.astype(np.float32))


# --- What a map keeps ---------------------------------------------------------------------------------------------


def test_scores_are_those_of_scikit_learn(digits):
    rows = select_rows(digits, "test", 200)
    points = PCA(2).fit_transform(rows.floats()).astype(np.float32)
    found = neighbourhoods.score_map(points, rows)
    predicted = cross_val_predict(KNeighborsClassifier(15), points.astype(np.float64), rows.y, cv=LeaveOneOut())
    right = (predicted == rows.y).astype(float)
    assert found["map_knn_accuracy"] == pytest.approx(right.mean(), abs=1e-12)
    interval = bootstrap.share_interval(int(right.sum()), 200)
    assert found["map_knn_accuracy_interval"] == pytest.approx(list(interval), abs=1e-12)
    assert found["map_knn_accuracy_n"] == 200
    expected = trustworthiness(rows.X / 255, points.astype(np.float64), n_neighbors=15)
    assert found["map_trustworthiness"] == pytest.approx(expected, abs=1e-3)
    low, high = found["map_trustworthiness_interval"]
    assert low < found["map_trustworthiness"] < high
    assert found["map_trustworthiness_n"] == 200


def test_scores_of_documents_are_by_cosine_and_without_those_of_no_known_word(corpus):
    rows = select_rows(corpus, "test", 50)
    rng = np.random.default_rng(0)
    vectors = rows.vectors.toarray() * rng.uniform(0.1, 10, (50, 1))
    vectors[[4, 8]] = 0
    rows = replace(rows, vectors=csr_array(vectors))
    points = rng.normal(size=(50, 2)) + rows.y[:, None] * 3
    found, at = neighbourhoods.score_map(points, rows), np.setdiff1d(np.arange(50), [4, 8])
    expected = trustworthiness(vectors[at], points[at], n_neighbors=15, metric="cosine")
    assert found["map_trustworthiness"] == pytest.approx(expected, abs=1e-6)
    assert found["map_trustworthiness_n"] == 48
    assert found["map_knn_accuracy_n"] == 50


def test_scores_are_of_the_rows_that_have_a_place(digits):
    rows = select_rows(digits, "test", 120)
    points = PCA(2).fit_transform(rows.floats())
    at = np.flatnonzero(np.arange(120) % 3)
    points[::3] = np.nan
    part = replace(rows, numbers=rows.numbers[at], X=rows.X[at], y=rows.y[at])
    assert neighbourhoods.score_map(points, rows) == neighbourhoods.score_map(points[at], part)
    assert neighbourhoods.score_map(points, rows)["map_knn_accuracy_n"] == 80


def test_where_nothing_can_be_said_no_figure_is_made_up(digits):
    rows = select_rows(digits, "test", 60)
    points = PCA(2).fit_transform(rows.floats())
    one_class = neighbourhoods.score_map(points, replace(rows, y=np.zeros(60, int), target_names=("zero",)))
    unlabelled = neighbourhoods.score_map(points, replace(rows, y=np.full(60, -1), target_names=()))
    for found in (one_class, unlabelled):
        assert set(found) == {f"map_trustworthiness{end}" for end in ("", "_interval", "_n")}
    two = select_rows(digits, "test", 2)
    assert neighbourhoods.score_map(points[:2], two) == {}
    assert neighbourhoods.score_map(np.full((60, 2), np.nan), rows) == {}
    assert neighbourhoods.read_scores(points[:2], two) == {}


def test_scores_are_measured_once(digits, monkeypatch):
    rows = select_rows(digits, "test", 60)
    points = PCA(2).fit_transform(rows.floats())
    assert neighbourhoods.read_scores(points, rows) is None
    first = neighbourhoods.score_map(points, rows)
    monkeypatch.setattr(embedding, "trustworthiness_rows", lambda *_: pytest.fail("it was measured again"))
    assert neighbourhoods.read_scores(points, rows) == neighbourhoods.score_map(points, rows) == first
    assert neighbourhoods.read_scores(points + 1, rows) is None


# --- Neighbours ---------------------------------------------------------------------------------------------------


def nearest_by_loops(Z, k):
    """The `k` nearest others, one pair at a time; none of a row without a place."""
    known = [row for row in range(len(Z)) if np.isfinite(Z[row]).all()]
    return [
        []
        if row not in known
        else sorted((o for o in known if o != row), key=lambda o: ((Z[row] - Z[o]) ** 2).sum())[:k]
        for row in range(len(Z))
    ]


@pytest.mark.parametrize("missing", [[], [0, 3, 39]])
def test_neighbours_are_those_of_the_direct_computation(missing):
    Z = np.random.default_rng(0).normal(size=(40, 3))
    Z[missing, 1] = np.nan
    found = neighbourhoods.find_neighbours(Z, 7)
    assert found.shape == (40, 7)
    for row, expected in enumerate(nearest_by_loops(Z, 7)):
        assert found[row].tolist() == (expected or [-1] * 7)
    assert np.array_equal(neighbourhoods.find_neighbours(Z, 7), found)


def test_neighbours_agree_with_scikit_learn(digits):
    Z = PCA(5).fit_transform(digits.X_test / 255.0)
    expected = NearestNeighbors(n_neighbors=15).fit(Z).kneighbors(return_distance=False)
    assert np.array_equal(neighbourhoods.find_neighbours(Z), expected)


@pytest.mark.parametrize(("n", "placed", "width"), [(5, 5, 4), (5, 3, 2), (5, 1, 0), (5, 0, 0), (1, 1, 0)])
def test_where_there_are_fewer_others_than_asked_for_all_are_neighbours(n, placed, width):
    Z = np.random.default_rng(0).normal(size=(n, 2))
    Z[placed:] = np.nan
    found = neighbourhoods.find_neighbours(Z)
    assert found.shape == (n, width)
    assert (found[placed:] == -1).all()
    assert [sorted(row) for row in found[:placed].tolist()] == [
        sorted(set(range(placed)) - {row}) if width else [] for row in range(placed)
    ]


def overlap_by_loops(A, B, k):
    """Average overlap of each row's neighbours, looked for among the rows that both have."""
    both = np.isfinite(A).all(axis=1) & np.isfinite(B).all(axis=1)
    pair = [nearest_by_loops(np.where(both[:, None], Z, np.nan), k) for Z in (A, B)]
    return [
        np.mean([len(set(a[:d]) & set(b[:d])) / d for d in range(1, len(a) + 1)]) if a and b else np.nan
        for a, b in zip(*pair, strict=True)
    ]


@pytest.mark.parametrize("missing", [([], []), ([1, 2], []), ([1, 2, 5], [2, 30]), (range(12), range(20, 40))])
def test_overlap_is_that_of_the_direct_computation(missing):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 3))
    B = A[:, :2] + rng.normal(size=(40, 2)) * 0.3
    A[list(missing[0])], B[list(missing[1])] = np.nan, np.nan
    found = neighbourhoods.compute_overlap(A, B)
    assert found == pytest.approx(overlap_by_loops(A, B, 200), nan_ok=True)
    assert neighbourhoods.compute_overlap(B, A) == pytest.approx(found, nan_ok=True)
    assert np.isnan(found).sum() == len({*missing[0], *missing[1]})


def test_a_map_of_fewer_rows_agrees_with_itself():
    """What a map does not hold is no disagreement."""
    Z = np.random.default_rng(0).normal(size=(60, 2))
    part = Z.copy()
    part[::2] = np.nan
    assert neighbourhoods.compute_overlap(Z, part) == pytest.approx(np.where(np.arange(60) % 2, 1, np.nan), nan_ok=True)


def test_where_no_two_rows_are_common_nothing_is_said_of_their_overlap():
    Z = np.random.default_rng(0).normal(size=(4, 2))
    for held in ([], [2]):
        part = np.full((4, 2), np.nan)
        part[held] = Z[held]
        assert np.isnan(neighbourhoods.compute_overlap(Z, part)).all()
        assert np.isnan(neighbourhoods.compute_overlap(part, Z)).all()
    assert neighbourhoods.compute_overlap(Z, 2 * Z) == pytest.approx(np.ones(4))


def test_the_rows_nearest_to_a_code_are_those_of_the_direct_computation():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(50, 4)).astype(np.float32)
    Z[[3, 8], 2] = np.nan
    z = rng.normal(size=4)
    expected = sorted((float(np.linalg.norm(Z[k] - z)), k) for k in range(50) if k not in (3, 8))
    which, distances = neighbourhoods.find_nearest(z, Z)
    assert which.tolist() == [k for _, k in expected[:10]]
    assert distances == pytest.approx([distance for distance, _ in expected[:10]])
    which, distances = neighbourhoods.find_nearest(Z[5], Z, 3)
    assert (which[0], distances[0]) == (5, 0)
    assert neighbourhoods.find_nearest(Z[5], Z, 2, leave_out=5)[0].tolist() == which[1:].tolist()
    assert len(neighbourhoods.find_nearest(z, Z, 100)[0]) == 48
    assert len(neighbourhoods.find_nearest(z, Z, 100, leave_out=0)[0]) == 47
    assert [len(each) for each in neighbourhoods.find_nearest(np.full(4, np.nan), Z)] == [0, 0]
    assert neighbourhoods.find_nearest(np.zeros(1), np.array([[1.0], [-1.0], [1.0]]))[0].tolist() == [0, 1, 2]


# --- Errors -------------------------------------------------------------------------------------------------------


def squared_error(estimator, X):
    return np.square(X - estimator.inverse_transform(estimator.transform(X))).sum(axis=1)


@pytest.mark.parametrize("name", ["pca10", "ae2"])
def test_errors_of_images_are_sums_over_pixels(name, digits, fitted, request):
    run = request.getfixturevalue(name)
    of = fitted(run)
    test, train = select_rows(digits, "test", 60), select_rows(digits, "train", 60)
    found = codes.compute_errors(run, ("a", 1), test, of)
    assert of.calls == 0
    assert found == pytest.approx(squared_error(of.estimator, test.floats()), rel=1e-4)
    assert found.mean() == pytest.approx(run.metrics["squared_error"], rel=0.3)
    found = codes.compute_errors(run, ("a", 1), train, of)
    calls = of.calls
    assert calls > 0
    assert found == pytest.approx(squared_error(of.estimator, train.floats()), rel=1e-4)
    assert np.array_equal(codes.compute_errors(run, ("a", 1), train, of), found)
    assert of.calls == calls


def test_errors_of_test_rows_whose_scores_are_not_stored(pca10, digits, fitted):
    views = pca10.views | {"rows.squared_error": pca10.views["rows.squared_error"][:7]}
    of, rows = fitted(pca10), select_rows(digits, "test", 60)
    found = codes.compute_errors(replace(pca10, views=views), ("a", 1), rows, of)
    # From codes in float16.
    assert found == pytest.approx(squared_error(of.estimator, rows.floats()), rel=1e-3)


@pytest.mark.parametrize("split", ["test", "train"])
def test_errors_of_documents_are_one_less_the_cosine(lsa, corpus, fitted, split):
    of, rows = fitted(lsa), select_rows(corpus, split, 40)
    found = codes.compute_errors(lsa, ("a", 1), rows, of)
    rebuilt = of.estimator.inverse_transform(of.estimator.transform(rows.X))
    assert found == pytest.approx(1 - np.diag(cosine_similarity(rows.vectors.toarray(), rebuilt)), abs=2e-3)
    assert 0 < found.min() < found.max() < 1


def test_errors_of_many_rows_are_those_of_each(pca10, digits, fitted):
    of, rows = fitted(pca10), select_rows(digits, "train", 1297)
    assert codes.compute_errors(pca10, ("a", 1), rows, of) == pytest.approx(
        squared_error(of.estimator, rows.floats()), rel=1e-4
    )


def test_a_method_that_rebuilds_nothing_has_no_errors(gan, pca10, digits):
    rows = select_rows(digits, "train", 20)
    never = lambda: pytest.fail("nothing is to be built")
    assert codes.compute_errors(gan, ("a", 1), rows, never) is None
    # A map of the rows themselves has codes and no scores of reconstructions.
    tsne = replace(pca10, views={name: a for name, a in pca10.views.items() if name != "rows.squared_error"})
    assert codes.compute_errors(tsne, ("a", 1), rows, never) is None


# --- Words that stand out -----------------------------------------------------------------------------------------

VOCABULARY = tuple("abcdefghij")


def planted():
    """60 documents of ten words; in the first 20 word 3 is common and word 7 stands alone, word 5 is avoided."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(2, (60, 10))
    counts[:, 7] = 0
    counts[:20, 3] += rng.poisson(6, 20)
    counts[:20, 5] = 0
    counts[:10, 7] = 2
    return made_up(csr_array(counts), np.zeros(60, int), DOCUMENTS, vocabulary=VOCABULARY), counts


def log_odds_by_loops(counts, inside):
    """Monroe, Colaresi and Quinn (2008), eq. 16 and 22, a word at a time, the prior as 500 words of all rows."""
    a, b = counts[inside].sum(axis=0), counts[~inside].sum(axis=0)
    prior = (a + b) * 500 / (a + b).sum()
    scores = []
    for w in range(counts.shape[1]):
        odds = [np.log((n[w] + prior[w]) / (n.sum() + prior.sum() - n[w] - prior[w])) for n in (a, b)]
        scores.append((odds[0] - odds[1]) / np.sqrt(1 / (a[w] + prior[w]) + 1 / (b[w] + prior[w])))
    return np.array(scores)


def test_planted_words_stand_out():
    rows, counts = planted()
    inside = np.arange(60) < 20
    found = keywords.find_distinctive_words(rows, np.flatnonzero(inside))
    scores = log_odds_by_loops(counts, inside)
    expected = [k for k in np.argsort(-scores) if scores[k] > 0 and counts[:20, k].any()]
    assert [word for word, _, _ in found] == [VOCABULARY[k] for k in expected]
    assert {word for word, _, _ in found[:2]} == {"d", "h"}
    assert "f" not in {word for word, _, _ in found}
    for word, within, without in found:
        has = counts[:, VOCABULARY.index(word)] > 0
        assert (within, without) == pytest.approx((has[:20].mean(), has[20:].mean()))
    assert [word for word, _, _ in keywords.find_distinctive_words(rows, np.flatnonzero(inside), 1)] == [found[0][0]]


def test_words_stand_in_the_order_of_their_log_odds():
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.lognormal(0, 2, 150) * rng.uniform(0.8, 1.25, (80, 150)))
    counts = counts[:, counts.any(axis=0)]
    names = tuple(map(str, range(counts.shape[1])))
    rows = made_up(csr_array(counts), np.zeros(80, int), DOCUMENTS, vocabulary=names)
    for n_selected in (1, 8, 70):
        inside = np.arange(80) < n_selected
        scores = log_odds_by_loops(counts, inside)
        expected = [k for k in np.argsort(-scores, kind="stable") if scores[k] > 0 and counts[inside, k].any()]
        found = [int(word) for word, _, _ in keywords.find_distinctive_words(rows, np.flatnonzero(inside), 150)]
        assert len(found) > 10
        assert found == expected


def test_of_no_rows_and_of_all_rows_nothing_stands_out():
    rows, _ = planted()
    assert keywords.find_distinctive_words(rows, np.array([], int)) == []
    assert keywords.find_distinctive_words(rows, np.arange(60)) == []


def test_documents_without_a_word_make_nothing_stand_out():
    rows = made_up(csr_array(np.array([[0, 0], [0, 0], [3, 1], [1, 2]])), [0] * 4, DOCUMENTS, vocabulary=("a", "b"))
    assert keywords.find_distinctive_words(rows, np.array([0, 1])) == []
    assert keywords.find_distinctive_words(rows, np.array([2, 3])) == []
    assert [word for word, _, _ in keywords.find_distinctive_words(rows, np.array([0, 2]))] == ["a"]


def test_a_word_that_only_some_rows_have_stands_out_among_words_that_none_has():
    rows = made_up(
        csr_array(np.array([[2, 0, 5], [0, 0, 5], [0, 0, 5]])), [0] * 3, DOCUMENTS, vocabulary=("a", "b", "c")
    )
    assert keywords.find_distinctive_words(rows, np.array([0])) == [("a", 1.0, 0.0)]
