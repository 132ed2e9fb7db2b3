from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array

from core import datasets, experiments, specs, store, views
from core.datasets import documents
from core.metrics import DEFINITIONS, completion
from core.samplers import OF_METHOD, CodeSampler, usual
from core.types import DOCUMENTS, BadInput, Dataset

SMALL = {"epochs": 3, "width": 32, "n_components": 3}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def fitted(digits):
    """A small run by each of four methods, each fitted once."""
    runs = {}
    for method in ("pca", "ae", "vae", "gan"):
        params = {"n_components": 3} if method == "pca" else SMALL
        stages = []
        runs[method], _ = experiments.fit(specs.make("digits", method, params), digits, on_stage=stages.append)
        assert stages[0] == "Fitting"
    return runs


@pytest.fixture(params=["pca", "ae", "vae", "gan"])
def run(request, fitted):
    return fitted[request.param]


EXPECTED = {
    "pca": {
        "squared_error",
        "squared_error_per_class",
        "knn_accuracy",
        "probe_accuracy",
        "trustworthiness",
        "continuity",
        "silhouette",
        "kmeans_ari",
        "kmeans_nmi",
    },
    "ae": {"squared_error", "knn_accuracy", "frechet", "frechet_floor", "precision", "recall"},
    "vae": {"squared_error", "neg_elbo", "neg_elbo_at_mean", "kl", "iw_bound", "frechet"},
    "gan": {"knn_accuracy", "silhouette", "trustworthiness", "frechet", "precision", "recall"},
}


def test_every_figure_that_applies_is_there_with_its_interval_and_n(run):
    assert EXPECTED[run.spec.method] <= set(run.metrics)
    for name, value in run.metrics.items():
        if name.endswith("_interval"):
            low, high = value
            assert low <= run.metrics[name.removesuffix("_interval")] <= high
            assert run.metrics[name.replace("_interval", "_n")] > 1


def test_what_does_not_apply_is_left_out(fitted):
    assert "squared_error" not in fitted["gan"].metrics
    assert "reconstructions" not in fitted["gan"].views
    assert "neg_elbo" not in fitted["ae"].metrics


def test_every_figure_is_defined(run):
    told = {name.rpartition(".")[2] for name in run.metrics if not name.endswith(("_interval", "_n"))}
    assert told <= set(DEFINITIONS)


def test_classes_that_no_train_row_has_are_not_asked_for(digits):
    apart = replace(digits, y_train=np.where(digits.y_train < 5, digits.y_train, -1), y_test=digits.y_test.clip(min=5))
    run, _ = experiments.fit(specs.make("digits", "pca", {"n_components": 2}), apart)
    assert "knn_accuracy" not in run.metrics
    assert "probe_accuracy" not in run.metrics
    assert run.metrics["silhouette"] is not None


def test_pca_knows_its_error_at_every_size(fitted, digits):
    errors = fitted["pca"].views["error_by_size"]
    assert errors.shape == (65,)
    assert errors[3] == pytest.approx(fitted["pca"].metrics["squared_error"], rel=1e-3)  # stored in float16
    assert not any("error_by_size" in fitted[name].views for name in ("ae", "vae", "gan"))


def test_an_autoencoder_is_drawn_through_every_sampler(fitted):
    run = fitted["ae"]
    for kind in OF_METHOD["ae"][1:]:
        assert run.metrics[f"{kind}.frechet"] > 0
        assert sum(run.metrics[f"{kind}.class_shares"].values()) == pytest.approx(1)
    for kind in OF_METHOD["ae"]:
        sampler = CodeSampler(kind).restore(
            {part: run.views[f"sampler.{kind}.{part}"] for part in ("weights", "means", "factors")}
            if kind != "normal"
            else CodeSampler("normal").fit(np.zeros((2, 3))).arrays()
        )
        assert sampler.sample(5, 0).shape == (5, 3)
        assert run.views[f"nearest.{kind}"].shape == (500,)
    assert run.views["nearest.test"].min() > 0


def test_samples_of_a_prior_are_those_that_the_estimator_draws(fitted, digits):
    run = fitted["vae"]
    np.testing.assert_array_equal(run.views["samples"], views.pixels(run.estimator.sample(64, random_state=0)))
    assert run.notes["samples"] == "codes drawn from the prior N(0, I)"


def test_views_hold_what_pages_show(run):
    n = len(run.views["shown_rows"])
    assert run.views["map"].shape == (n, 2)
    assert run.views["labels"].shape == (n,)
    assert run.views["samples"].shape == (64, 64)
    assert run.views["samples"].dtype == np.uint8
    assert run.views["originals"].shape == (20, 64)
    if run.spec.method != "gan":
        assert run.views["reconstructions"].shape == (20, 64)
        assert run.views["codes"].shape == (n, 3)
    assert run.notes["map"].endswith("projected by PCA")


def test_the_strip_takes_the_classes_in_turn(digits):
    shown = datasets.sample_rows(digits)
    labels = digits.y_test[views.strip_of(digits, shown)]
    assert labels[:10].tolist() == list(range(10))
    assert labels[10:].tolist() == list(range(10))


@pytest.mark.parametrize("method", ["pca", "ae", "vae"])
def test_reconstructions_belong_to_the_originals_above_them(fitted, digits, method):
    run = fitted[method]
    strip = views.strip_of(digits, datasets.sample_rows(digits))
    assert np.array_equal(run.views["originals"], digits.X_test[strip])
    rebuilt = run.estimator.inverse_transform(run.estimator.transform(digits.floats("test")[strip]))
    assert run.views["reconstructions"] == pytest.approx(np.clip(rebuilt, 0, 1) * 255, abs=0.51)


def test_clusters_are_those_of_the_codes_of_the_labelled_test_rows(fitted, digits):
    from sklearn.metrics import silhouette_score

    run = fitted["pca"]
    codes = run.estimator.transform(digits.floats("test"))
    assert run.metrics["silhouette"] == pytest.approx(silhouette_score(codes, digits.y_test), abs=1e-6)
    assert run.metrics["silhouette_n"] == run.metrics["kmeans_ari_n"] == 500
    assert 0.2 < run.metrics["kmeans_ari"] < run.metrics["kmeans_nmi"] < 1


def test_collapsed_codes_have_no_clusters(digits):
    sheet = experiments._Sheet()
    at = np.arange(500)
    experiments._measure_clusters(sheet, np.zeros((500, 2)), digits.y_test, at)
    assert "kmeans_ari" not in sheet.metrics
    assert sheet.metrics["silhouette"] == 0


@pytest.fixture(scope="module")
def tsne(digits, tmp_path_factory):
    """A map of the digits, stored; where, and its run."""
    folder = tmp_path_factory.mktemp("runs")
    spec = specs.make("digits", "tsne", {"max_iter": 500})
    run = experiments.fit_and_store(spec, digits, folder)
    return folder / spec.key, run


def test_a_map_of_rows_is_measured_by_their_positions(tsne, digits):
    from sklearn.neighbors import KNeighborsClassifier

    _, run = tsne
    figures = {"knn_accuracy", "probe_accuracy", "silhouette", "kmeans_ari", "kmeans_nmi"}
    figures |= {"trustworthiness", "continuity", "seconds", "weights"}
    assert {name for name in run.metrics if not name.endswith(("_interval", "_n"))} == figures
    assert run.metrics["weights"] == 0
    estimator = run.estimator
    neighbours = KNeighborsClassifier(15).fit(estimator.train_embedding_, digits.y_train)
    assert run.metrics["knn_accuracy"] == pytest.approx(neighbours.score(estimator.test_embedding_, digits.y_test))
    assert run.metrics["knn_accuracy"] > 0.95
    assert run.metrics["trustworthiness"] > 0.95
    assert run.history[-1]["loss"] == estimator.kl_divergence_
    assert run.environment["threads"] >= 1


def test_a_map_of_rows_shows_them_and_makes_nothing(tsne):
    _, run = tsne
    assert set(run.views) == {"shown_rows", "map", "codes", "labels"}
    assert np.array_equal(run.views["map"], run.estimator.test_embedding_)
    assert run.views["codes"].dtype == np.float16
    assert set(run.notes) == {"map", "target_names"}
    assert run.notes["map"] == "t-SNE of the raw rows"


def test_a_stored_map_is_measured_anew_without_being_made_anew(tsne, digits, monkeypatch):
    from core.methods.tsne import TSNEMap

    place, run = tsne
    monkeypatch.setattr(TSNEMap, "fit", None)
    weights = store.arrays(place)
    assert weights["embedding_"].dtype == np.float32
    again = experiments.remeasure(place, digits)
    assert again.metrics == run.metrics
    assert np.array_equal(store.arrays(place)["embedding_"], weights["embedding_"])


def test_a_map_goes_elsewhere_and_comes_back(tsne, tmp_path):
    place, run = tsne
    back = store.unpack(store.pack(place), tmp_path, check_weights=True)
    assert back.metrics == run.metrics
    estimator = store.estimator(tmp_path / run.key)
    assert np.array_equal(estimator.train_embedding_, run.estimator.train_embedding_)


class Positions:
    """A map whose positions tell the classes, of some of the rows."""

    about = "by class"

    def __init__(self, dataset, rows_train, rows_test):
        self.rows_train_, self.rows_test_ = rows_train, rows_test
        noise = np.random.default_rng(0).normal(0, 0.01, (len(rows_train) + len(rows_test), 2))
        y = np.concatenate([dataset.y_train[rows_train], dataset.y_test[rows_test]])
        self.embedding_ = np.column_stack([y, y**2]) + noise
        self.train_embedding_, self.test_embedding_ = np.split(self.embedding_, [len(rows_train)])


def test_figures_of_a_map_are_of_its_own_rows(digits, monkeypatch):
    rows_train, rows_test = np.arange(5, 900, 3), np.arange(1, 500, 2)
    monkeypatch.setattr(datasets, "sample_rows", lambda dataset: rows_test[10:60])
    metrics, views_, _ = experiments.measure(Positions(digits, rows_train, rows_test), digits)
    assert metrics["knn_accuracy"] == metrics["kmeans_ari"] == 1
    assert metrics["knn_accuracy_n"] == metrics["trustworthiness_n"] == metrics["kmeans_ari_n"] == 250
    assert np.rint(views_["map"][:, 0]).tolist() == views_["labels"].tolist()


def test_what_is_mapped_are_the_first_rows_of_both_splits():
    corpus = datasets.load("docstrings", vocabulary_size=300)
    spec = specs.make("docstrings", "tsne", {"max_iter": 300}, dataset_params={"vocabulary_size": 300})
    given = experiments._mapped_rows(spec, corpus)
    assert np.array_equal(given["rows_train"], datasets.first_rows(corpus, "train", 2000))
    assert np.array_equal(given["rows_test"], np.arange(len(corpus.y_test)))
    assert (given["X_train"] != corpus.floats("train")[given["rows_train"]]).nnz == 0
    assert given["X_test"].shape == corpus.X_test.shape
    run, _ = experiments.fit(spec, corpus)
    assert run.notes["map"] == "t-SNE of the tf-idf vectors, cosine distance"
    assert run.metrics["knn_accuracy"] > 0.4
    assert "documents" not in run.notes
    assert not any(name.startswith("retrieval") for name in run.metrics)


def test_the_bound_is_looser_than_the_importance_weighted_one(fitted):
    metrics = fitted["vae"].metrics
    assert metrics["iw_bound"] < metrics["neg_elbo"]
    assert metrics["neg_elbo"] > metrics["kl"] > 0


def test_weights_are_counted_by_hand(fitted):
    assert fitted["pca"].metrics["weights"] == 3 * 64 + 64
    hidden = [64, 32, 16, 8]
    layers = sum(a * b + 2 * b for a, b in pairwise(hidden))  # batch norm: a scale and a shift
    encoder = layers + 8 * 3 + 3
    decoder = (3 * 8 + 16) + (8 * 16 + 32) + (16 * 32 + 64) + (32 * 64 + 64)
    assert fitted["ae"].metrics["weights"] == encoder + decoder


def test_a_run_is_not_measured_on_other_data(fitted, digits, tmp_path):
    spec = specs.make("digits", "pca", {"n_components": 2})
    run, arrays = experiments.fit(spec, digits)
    place = store.write(run, arrays, tmp_path)
    again = experiments.remeasure(place, digits)
    assert again.metrics == run.metrics
    with pytest.raises(BadInput, match="another copy of digits"):
        experiments.remeasure(place, replace(digits, X_test=digits.X_test[::-1]))


def test_lsa_on_reuters_reaches_the_reference(full_data):
    """Measured for this project with another program: retrieval among the test documents, 10-D, tf-idf."""
    corpus = datasets.load("reuters-r8")
    run, _ = experiments.fit(specs.make("reuters-r8", "lsa", {"n_components": 10}), corpus)
    found = [run.metrics[f"retrieval_precision_{n}"] for n in (1, 15, 63)]
    assert found == pytest.approx([0.920, 0.890, 0.857], abs=0.012)
    assert run.metrics["knn_accuracy"] == pytest.approx(0.925, abs=0.012)


def test_test_labels_change_no_weight_and_no_code(digits):
    shuffled = replace(digits, y_test=np.random.default_rng(0).permutation(digits.y_test))
    spec = specs.make("digits", "ae", SMALL)
    plain, other = (experiments.fit(spec, data)[1] for data in (digits, shuffled))
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_documents_have_words_and_retrieval():
    corpus = datasets.load("docstrings", vocabulary_size=300)
    spec = specs.make("docstrings", "lsa", {"n_components": 2}, dataset_params={"vocabulary_size": 300})
    run, _ = experiments.fit(spec, corpus)
    assert {"knn_accuracy", "retrieval_precision_15", "trustworthiness"} <= set(run.metrics)
    assert "squared_error" not in run.metrics
    assert "samples" not in run.views
    documents = run.notes["documents"]
    assert len(documents) == 3
    assert len({d["class"] for d in documents}) == 3
    for document in documents:
        had = {word for word, _ in document["has"]}
        assert had <= set(corpus.vocabulary)
        assert all(known for word, _, known in document["expects"] if word in had)


def made_up_documents(n_train=120, n_test=80, n_words=30, classes=2):
    """Documents of `classes` subjects, each of which prefers words of its own; of the test ones 5 know no word."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(n_words, 0.2), classes)
    y = np.arange(n_train + n_test) % classes
    X = np.array([rng.multinomial(rng.integers(1, 40), shares[k]) for k in y], np.int32)
    X[n_train + 10 : n_train + 15] = 0
    titles = tuple(f"t{k}" for k in range(len(y)))
    return Dataset(
        "docstrings",
        DOCUMENTS,
        csr_array(X[:n_train]),
        y[:n_train],
        csr_array(X[n_train:]),
        y[n_train:],
        tuple(f"s{k}" for k in range(classes)),
        "none",
        "none",
        vocabulary=tuple(f"w{k}" for k in range(n_words)),
        titles_train=titles[:n_train],
        titles_test=titles[n_train:],
    )


@pytest.fixture(scope="module")
def of_documents():
    """Documents, and a run by each method that rebuilds them."""
    corpus = made_up_documents()
    runs = {}
    for method in ("lsa", "ae", "vae"):
        params = (
            {"n_components": 2} if method == "lsa" else {"epochs": 30, "batch_size": 16, "width": 32, "n_components": 2}
        )
        runs[method], _ = experiments.fit(specs.make("docstrings", method, params), corpus)
    return corpus, runs


@pytest.mark.parametrize("method", ["lsa", "ae", "vae"])
def test_retrieval_and_cosine_of_documents_agree_with_scikit_learn(of_documents, method):
    from sklearn.metrics.pairwise import cosine_similarity

    corpus, runs = of_documents
    run = runs[method]
    X, y = corpus.X_test, corpus.y_test
    Z = run.estimator.transform(X)
    weights = documents.tfidf(corpus, X)
    assert run.views["retrieval.at"].tolist() == [1, 3, 7, 15, 31, 63, 79]
    for vectors, view in ((Z, "retrieval.precision"), (weights, "retrieval.tfidf")):
        cosines = cosine_similarity(vectors).astype(np.float64).round(6)
        np.fill_diagonal(cosines, -2)
        relevant = y[np.argsort(-cosines, axis=1, kind="stable")] == y[:, None]
        expected = [relevant[:, :n].mean() for n in run.views["retrieval.at"]]
        assert run.views[view][:, 0] == pytest.approx(expected, abs=5e-3)
        assert (run.views[view][:, 1] <= run.views[view][:, 2]).all()
    for k, n in ((0, 1), (3, 15), (5, 63)):
        assert run.views["retrieval.precision"][k, 0] == pytest.approx(run.metrics[f"retrieval_precision_{n}"])
    known = np.flatnonzero(np.diff(X.indptr))
    assert len(known) == 75
    expected = np.diag(cosine_similarity(weights[known], run.estimator.inverse_transform(Z[known])))
    assert run.views["rows.tfidf_cosine"] == pytest.approx(expected, abs=1e-5)
    assert run.metrics["tfidf_cosine"] == pytest.approx(expected.mean(), abs=1e-6)
    assert run.metrics["tfidf_cosine_n"] == 75


@pytest.mark.parametrize("method", ["ae", "vae"])
def test_perplexity_is_that_of_the_held_half_given_the_other(of_documents, method):
    corpus, runs = of_documents
    run = runs[method]
    given, held = completion.halves(corpus.X_test)
    p = run.estimator.inverse_transform(run.estimator.transform(given)).astype(np.float64)
    whole = np.asarray(corpus.X_test.sum(axis=1)).ravel() >= 2
    held = held.toarray()[whole]
    expected = np.exp(-(held * np.log(p[whole])).sum() / held.sum())
    assert run.metrics["completion_perplexity"] == pytest.approx(expected, rel=1e-6)
    assert run.metrics["completion_perplexity_n"] == whole.sum()
    assert run.metrics["completion_floored"] == 0
    assert run.views["rows.completion_perplexity"].mean() == pytest.approx(np.log(expected), rel=1e-5)
    # It knows the subject, the unigram model does not.
    assert run.metrics["completion_perplexity_interval"][1] < run.metrics["unigram_perplexity_interval"][0]


def test_lsa_has_no_probabilities_and_the_references_are_the_same_for_all(of_documents):
    from sklearn.neighbors import KNeighborsClassifier

    corpus, runs = of_documents
    told = {name for name in runs["lsa"].metrics if not name.endswith(("_interval", "_n"))}
    assert not {"completion_perplexity", "completion_floored"} & told
    assert "rows.completion_perplexity" not in runs["lsa"].views
    for run in runs.values():
        assert {name for name in run.metrics if not name.endswith(("_interval", "_n"))} <= set(DEFINITIONS)
        assert "rows.tfidf_knn_accuracy" not in run.views
        for name in ("tfidf_knn_accuracy", "unigram_perplexity", "cache_perplexity"):
            for part in (name, f"{name}_interval", f"{name}_n"):
                assert run.metrics[part] == runs["lsa"].metrics[part]
        assert np.array_equal(run.views["retrieval.tfidf"], runs["lsa"].views["retrieval.tfidf"])
    nearest = KNeighborsClassifier(15, metric="cosine").fit(documents.tfidf(corpus, corpus.X_train), corpus.y_train)
    score = nearest.score(documents.tfidf(corpus, corpus.X_test), corpus.y_test)
    assert runs["ae"].metrics["tfidf_knn_accuracy"] == pytest.approx(score, abs=0.02)
    held = completion.halves(corpus.X_test)[1].toarray()[np.asarray(corpus.X_test.sum(axis=1)).ravel() >= 2]
    share = corpus.X_train.sum(axis=0) / corpus.X_train.sum()
    expected = np.exp(-(held * np.log(share.clip(1e-38))).sum() / held.sum())
    assert runs["ae"].metrics["unigram_perplexity"] == pytest.approx(expected)


def test_the_weight_of_the_cache_model_comes_from_train_documents_alone(monkeypatch):
    monkeypatch.setattr(experiments, "_CACHE_DOCUMENTS", 70)
    corpus, asked = made_up_documents(), []
    genuine = completion.cache_weight
    monkeypatch.setattr(completion, "cache_weight", lambda X, shares: asked.append(X) or genuine(X, shares))
    models = experiments._word_models(corpus)
    assert asked[0].shape == (70, 30)
    train = {tuple(row) for row in corpus.X_train.toarray()}
    assert {tuple(row) for row in asked[0].toarray()} <= train
    given, held = completion.halves(corpus.X_test)
    found = {name: completion.complete(model, given, held).perplexity for name, model in models.items()}
    weight = genuine(asked[0], completion.unigram(corpus.X_train))
    known = np.asarray(corpus.X_test.sum(axis=1)).ravel() >= 2
    own = given.toarray()[known] / given.sum(axis=1)[known, None]
    p = (1 - weight) * completion.unigram(corpus.X_train) + weight * own
    held = held.toarray()[known]
    expected = np.exp(-(held * np.log(p.clip(1e-38))).sum() / held.sum())
    assert found["cache_perplexity"] == pytest.approx(expected)
    assert found["cache_perplexity"] < found["unigram_perplexity"]


def test_references_are_measured_once(cache, monkeypatch):
    corpus, calls = made_up_documents(), []
    genuine = experiments.embedding.knn_correct
    monkeypatch.setattr(experiments.embedding, "knn_correct", lambda *a: calls.append(a) or genuine(*a))
    first = experiments._references(corpus)
    again = experiments._references(corpus)
    assert len(calls) == 1
    assert all(np.array_equal(first[name], again[name]) for name in {*first, *again})
    experiments._references(made_up_documents(n_test=81))
    assert len(calls) == 2


def test_of_many_documents_a_sample_is_asked_about(cache, monkeypatch):
    corpus = made_up_documents()
    monkeypatch.setattr(experiments.retrieval, "MOST_PAIRS", 40 * 80)
    run, _ = experiments.fit(specs.make("docstrings", "lsa", {"n_components": 2}), corpus)
    assert run.metrics["retrieval_precision_1_n"] == 40
    assert run.metrics["tfidf_knn_accuracy_n"] == 40 * 80 // 120
    assert run.views["retrieval.at"][-1] == 79


def test_the_held_half_of_a_document_does_not_reach_its_code():
    """Whoever repeats the words it is given knows no held word of documents that hold every word once."""

    class Parrot:
        networks_ = None

        def transform(self, X):
            return X.toarray()

        def inverse_transform(self, Z):
            return Z / Z.sum(axis=1, keepdims=True).clip(min=1)

    corpus = made_up_documents()
    once = replace(corpus, X_test=(corpus.X_test > 0).astype(np.int32))
    sheet = experiments._Sheet()
    experiments._measure_documents(sheet, Parrot(), once, once.X_test.toarray())
    assert sheet.metrics["completion_floored"] == 1


ODD = {
    "one class": made_up_documents(classes=1),
    "no known word in any test document": replace(made_up_documents(), X_test=csr_array((80, 30), dtype=np.int32)),
    "a vocabulary of five words": made_up_documents(n_words=5),
    "two test documents": made_up_documents(n_test=2),
    "one test document": made_up_documents(n_test=1),
    "a word a train document": replace(
        made_up_documents(), X_train=csr_array(np.eye(30, dtype=np.int32)[np.arange(120) % 30])
    ),
    "three train documents": made_up_documents(n_train=3),
    "a word a document": replace(made_up_documents(), X_test=csr_array(np.eye(30, dtype=np.int32)[np.arange(80) % 30])),
    "no test labels": replace(made_up_documents(), y_test=np.full(80, -1)),
    "a class for each test document": replace(
        made_up_documents(classes=80), y_train=np.arange(120) % 2, y_test=np.arange(80)
    ),
}


@pytest.mark.parametrize("method", ["lsa", "ae", "vae"])
@pytest.mark.parametrize("name", ODD)
def test_odd_documents_have_the_figures_that_can_be_had(name, method):
    corpus = ODD[name]
    params = {"n_components": 2} if method == "lsa" else {"epochs": 1, "width": 16, "n_components": 2}
    run, _ = experiments.fit(specs.make("docstrings", method, params), corpus)
    told = {figure for figure in run.metrics if not figure.endswith(("_interval", "_n"))}
    empty, short = name.startswith("no known"), name == "a word a document"
    alone = name == "one test document"
    unknown = alone or name in ("one class", "no test labels")
    assert ("tfidf_cosine" in told) != (empty or alone)
    assert ("unigram_perplexity" in told) != (empty or short or alone)
    assert ("cache_perplexity" in told) == ("unigram_perplexity" in told and name != "a word a train document")
    assert ("neg_elbo" in told) == (method == "vae" and not alone)
    assert ("completion_perplexity" in told) == ("unigram_perplexity" in told and method != "lsa")
    assert ("retrieval_precision_1" in told) != unknown
    assert ("retrieval.at" in run.views) == ("retrieval.tfidf" in run.views) != unknown
    assert all(np.isfinite(run.metrics[figure]) for figure in told)
    for view in run.views.values():
        assert np.isfinite(view).all()


@pytest.mark.parametrize("data", ["images", "documents"])
def test_rows_to_measure_on_are_asked_for_before_the_fit(data, digits):
    corpus = digits if data == "images" else made_up_documents()
    alone = replace(corpus, X_test=corpus.X_test[:0], y_test=corpus.y_test[:0])
    stages = []
    with pytest.raises(BadInput, match="no test row"):
        experiments.fit(specs.make(corpus.name, "ae", {"epochs": 1}), alone, on_stage=stages.append)
    assert not stages


@pytest.mark.parametrize(("n_train", "n_words"), [(8, 30), (120, 8)])
def test_lsa_needs_as_many_documents_and_words_as_its_code_has_numbers(n_train, n_words):
    corpus = made_up_documents(n_train=n_train, n_words=n_words)
    with pytest.raises(BadInput, match=f"n_components=9 must be at most 8, of {n_train} documents and {n_words} words"):
        experiments.fit(specs.make("docstrings", "lsa", {"n_components": 9}), corpus)
    run, _ = experiments.fit(specs.make("docstrings", "lsa", {"n_components": 8}), corpus)
    assert run.views["codes"].shape[1] == 8


def test_stored_form_rounds_matrices_only():
    arrays = {"w": np.full((2, 2), 1 / 3), "b": np.full(3, 1 / 3), "n": np.array(7), "big": np.full((1, 1), 1e6)}
    stored = experiments.stored_form(arrays)
    assert stored["w"].dtype == np.float16
    assert stored["b"].dtype == stored["big"].dtype == np.float64
    assert stored["n"] == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digits", "lsa"), "LSA does not fit .* images: choose one of pca"),
        (("docstrings", "gan"), "GAN does not fit .* documents: choose one of lsa"),
        (("digits", "umap"), "no method umap"),
        (("cifar", "pca"), "cifar"),
        (("digits", "pca", {"n_components": 0}), "n_components is a whole number from 1 to 256"),
        (("digits", "pca", {}, -1), "seed=-1 is not allowed"),
        (("docstrings", "lsa", {}, 0, {"vocabulary_size": 1}), "vocabulary_size"),
    ],
)
def test_impossible_specs_are_refused_in_words(arguments, message):
    with pytest.raises(BadInput, match=message):
        specs.make(*arguments)


class Noisy:
    """A decoder that makes train rows with noise, others for each set of codes."""

    n_components = 2

    def __init__(self, digits):
        self.digits = digits

    def sample(self, n_samples=1, random_state=None):
        raise AssertionError("its codes are drawn by a sampler")

    def inverse_transform(self, Z):
        rng = np.random.default_rng(int(abs(Z[0, 0]) * 1e6))
        rows = rng.choice(len(self.digits.y_train), len(Z))
        noise = 0.2 * rng.normal(size=(len(Z), self.digits.n_features)).astype(np.float32)
        return self.digits.floats("train")[rows] + noise


def sampled(digits):
    """The figures of samples that are train rows with noise."""
    sheet, made = experiments._Sheet(), Noisy(digits)
    experiments._measure_samples(sheet, {}, made, [usual(made, None)], digits)
    return sheet.metrics


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the user's, and how often train rows were mapped since."""
    from core.datasets import download

    calls = []
    genuine = experiments._train_features

    def counted(*args):
        calls.append(args)
        return genuine(*args)

    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(experiments, "_train_features", counted)
    return tmp_path / "cache" / "computed", calls


def test_floors_are_the_figures_of_train_rows(digits, cache):
    from core.features import feature_space
    from core.metrics.generation import frechet_distance, precision_recall

    metrics = sampled(digits)
    space = feature_space(digits)
    real = space.features(digits.floats("test"))
    drawn = []
    for seed in range(5):
        rows = np.random.default_rng(seed).choice(1297, 500, replace=False)
        drawn.append(space.features(digits.floats("train")[rows]))
    assert metrics["frechet_floor"] == pytest.approx(np.mean([frechet_distance(real, F) for F in drawn]), rel=1e-9)
    low, high = metrics["frechet_floor_interval"]
    assert 0 < low < metrics["frechet_floor"] < high
    of_first = precision_recall(real, drawn[0])
    for name in ("precision", "recall", "coverage"):
        assert metrics[f"{name}_floor"] == of_first[name]
    assert 0.5 < metrics["precision"] < 1
    assert sum(metrics["class_shares"].values()) == pytest.approx(1)


def test_floors_are_measured_once_and_again_for_other_data_or_another_classifier(digits, cache, monkeypatch):
    from core import features

    folder, calls = cache
    first = sampled(digits)
    assert len(calls) == 5
    assert sampled(digits) == first
    assert len(calls) == 5
    assert len(list(folder.iterdir())) == 1
    others = replace(digits, X_test=digits.X_test[::-1].copy(), y_test=digits.y_test[::-1].copy())
    assert sampled(others)["frechet_floor"] == pytest.approx(first["frechet_floor"])
    assert len(calls) == 10
    genuine = features.feature_space
    monkeypatch.setattr(features, "feature_space", lambda data: replace(genuine(data), digest="another"))
    sampled(digits)
    assert len(calls) == 15


def test_floors_that_were_not_kept_whole_are_measured_again(digits, cache):
    folder, calls = cache
    first = sampled(digits)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert sampled(digits) == first
    assert len(calls) == 10
    assert path.read_bytes() == whole
    assert list(folder.iterdir()) == [path]


def test_a_cache_that_can_not_be_written_changes_no_figure(digits, cache):
    folder, calls = cache
    first = sampled(digits)
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert sampled(digits) == first
    assert list(folder.iterdir()) == [path]
    path.rmdir()
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    assert sampled(digits) == first
    assert len(calls) == 15
