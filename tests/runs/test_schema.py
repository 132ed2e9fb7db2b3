import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import datasets
from core.errors import BadInput
from core.experiments import fit
from core.runs import layout, reader, schema, specs
from tests.runs.test_reader import JSON

SHIPPED = list(layout.iterate_places(layout.SHIPPED))


def parts(place):
    return reader.read_run(place), reader.read_weights(place), reader.read_replay(place)


def shipped(dataset, method):
    return next(
        p for p in SHIPPED if (spec := reader.read_run(p).spec) and (spec.dataset, spec.method) == (dataset, method)
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A run of images, with snapshots of its training."""
    spec = specs.make("digits", "ae", {"epochs": 2, "width": 32, "n_components": 3})
    folder = tmp_path_factory.mktemp("runs")
    fit.fit_and_store(spec, datasets.load("digits"), folder)
    return parts(layout.place_of(folder, spec))


@pytest.fixture(scope="module")
def documents():
    """A run of documents with all scores of an autoencoder."""
    run, weights, pictures = parts(shipped("docstrings", "ae"))
    curve = np.array([[0.5, 0.4, 0.6], [0.3, 0.3, 0.3], [0.1, 0.0, 0.2]], np.float32)
    views = {"at": np.array([1, 3, 4], np.int32), "precision": curve, "tfidf": curve[:, [0, 0, 0]]}
    figures = {"tfidf_cosine": -0.1, "completion_perplexity": 900.5, "completion_floored": 0.0}
    figures |= {"completion_perplexity_interval": [890.0, 910.0], "completion_perplexity_n": 900}
    figures |= {"unigram_perplexity": 1e38, "unigram_perplexity_interval": [1e38, 1.005e38]}
    figures |= {"tfidf_cosine_interval": [-0.2, -0.1]}
    figures |= {"tfidf_knn_accuracy": 1.0, "tfidf_knn_accuracy_interval": [0.9, 1.0]}
    run = of("metrics", **figures)(of("views", **{f"retrieval.{name}": a for name, a in views.items()})(run))
    scores = np.linspace(1, 7, 900, dtype=np.float32)
    return of("views", **{"rows.completion_perplexity": scores})(run), weights, pictures


def test_shipped_and_own_runs_pass(images, documents):
    assert images[2]
    for run in (images, documents, *map(parts, SHIPPED)):
        schema.check(*run)


def parse_metrics(document):
    """Metrics as the reader takes them from a file, or its refusal."""
    try:
        metrics, by_class = layout.metrics_from_json(document)
    except ValueError as error:
        raise BadInput(f"figure {str(error)!r}") from None
    return {"metrics": metrics, "by_class": by_class}


def of(part, **changes):
    """The run with entries of a part put in, or left out where they are None."""

    def change(run):
        values = layout.metrics_to_json(run) if part == "metrics" else getattr(run, part)
        changed = {name: value for name, value in {**values, **changes}.items() if value is not None}
        return replace(run, **(parse_metrics(changed) if part == "metrics" else {part: changed}))

    return change


def spec(**changes):
    return lambda run: replace(run, spec=replace(run.spec, **changes))


def params(**changes):
    return lambda run: replace(
        run, spec=replace(run.spec, params=tuple(sorted({**dict(run.spec.params), **changes}.items())))
    )


def view(name, changed):
    return lambda run: of("views", **{name: changed(run.views[name])})(run)


def set_at(value, *index):
    def changed(array):
        array = array.copy()
        array[index] = value
        return array

    return changed


def row(**changes):
    return lambda run: replace(run, history=[*run.history, {**run.history[0], **changes}])


WRONG_RUNS = (
    (spec(dataset="cifar"), "no data set 'cifar'"),
    (spec(method="lsa"), "LSA does not fit"),
    (spec(method="x" * 10_000), "too long"),
    (spec(seed=-1), "seed=-1"),
    (spec(version=99), "version 99 of the method ae, this program has version 1"),
    (spec(dataset_params=(("vocabulary_size", 100),)), "no parameter of digits"),
    (params(width=5), "width=5 is not allowed"),
    (params(colour="red"), "colour is no parameter"),
    (params(epochs=2.0), "does not say every parameter"),
    (params(network="\ud800"), "no Unicode"),
    (of("environment", kind="documents"), "kind or image shape"),
    (of("environment", image_shape=[4, 16]), "kind or image shape"),
    (of("environment", n_features=65), "number of pixels"),
    (of("environment", n_train=0), "environment.n_train"),
    (of("environment", n_test=10**400), "environment.n_test"),
    (of("environment", date="2026-01-01T00:00:00"), "date"),
    (of("environment", versions={"torch": 2}), "versions"),
    (of("environment", threads=[1]), "environment.threads"),
    (row(loss=True), "history"),
    (row(loss=10**400), "history"),
    (lambda run: replace(run, history=[{"loss": 1.0}]), "history"),
    (of("metrics", squared_error=[1.0]), "figure 'squared_error'"),
    (of("metrics", weights=10**400), "metrics.weights"),
    (of("metrics", frechet={"0": 1.0}), "figure 'frechet'"),
    (of("metrics", class_shares=1.0), "figure 'class_shares'"),
    (of("metrics", squared_error_interval=[2.0, 1.0]), "squared_error"),
    (of("metrics", squared_error_n=0.5), "squared_error_n"),
    (of("metrics", seconds=-1.0), "figure 'seconds'"),
    (of("metrics", squared_error=None), "squared_error"),
    (of("notes", colour="red"), "notes.colour"),
    (of("notes", map=None), "how its map came about"),
    (of("notes", target_names=None), "do not both have classes"),
    (of("notes", target_names=["0", "1"]), "view 'labels'"),
    (of("views", shown_rows=None), "shown_rows is missing"),
    (view("shown_rows", lambda a: np.array(3)), "view '"),
    (view("shown_rows", set_at(500, -1)), "view 'shown_rows'"),
    (view("shown_rows", set_at(1, 0)), "a row twice"),
    (view("map", lambda a: a[1:]), "view 'map'"),
    (view("map", set_at(np.nan, 0, 0)), "view 'map'"),
    (view("map", set_at(1e30, 0, 0)), "view 'map'"),
    (view("codes", lambda a: a[:, :2]), "view 'codes'"),
    (view("labels", set_at(10, 0)), "view 'labels'"),
    (of("views", reconstructions=None), "reconstructions is missing"),
    (view("originals", lambda a: a.astype(np.float32)), "view 'originals'"),
    (view("samples", lambda a: np.tile(a, (100, 1))), "view 'samples'"),
    (of("views", colours=np.zeros(3)), "view 'colours'"),
    (of("views", **{"rows.squared_error": np.zeros(501, np.float32)}), "rows.squared_error"),
    (view("nearest.test", lambda a: -a), "nearest.test"),
    (view("sampler.mixture.means", lambda a: a[1:]), "sampler.mixture"),
    (of("views", **{"sampler.mixture.weights": None}), "sampler.mixture"),
    (of("views", **{"retrieval.at": np.array([1], np.int32)}), "view 'retrieval"),
)


def refuse(part, message):
    with pytest.raises(BadInput, match=message) as refusal:
        schema.check(*part)
    assert len(str(refusal.value)) < 500
    assert "\n" not in str(refusal.value)


def test_wrong_runs_of_images_are_refused(images):
    run, weights, replay = images
    for change, message in WRONG_RUNS:
        with pytest.raises(BadInput, match=message):
            schema.check(change(run), weights, replay)
    for size in (np.array(10**8), np.array([64, 64])):
        refuse((run, {**weights, "n_features_in": size}, replay), "another size")
    for number in (np.nan, 1e200):
        refuse((run, {**weights, "extra": np.array([1.0, number])}, replay), "finite")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(("environment", "notes", "metrics", "history")), st.data(), JSON)
def test_any_json_in_a_run_is_taken_or_refused(images, part, data, value):
    run, weights, replay = images
    if part == "history":
        changed = replace(run, history=[*run.history, value] if isinstance(value, dict) else run.history)
    elif part == "metrics":
        name = data.draw(st.sampled_from(sorted(run.metrics)) | st.text(max_size=8))
        try:
            changed = replace(run, **parse_metrics({**layout.metrics_to_json(run), name: value}))
        except BadInput:
            return
    else:
        name = data.draw(st.sampled_from(sorted(getattr(run, part))) | st.text(max_size=8))
        changed = replace(run, **{part: {**getattr(run, part), name: value}})
    with suppress(BadInput):
        schema.check(changed, weights, replay)


def document(**changes):
    return lambda run: of("notes", documents=[{**run.notes["documents"][0], **changes}])(run)


WRONG_DOCUMENTS = (
    (of("notes", documents=None), "documents are missing"),
    (document(title=None), "notes.documents"),
    (document(has=[["word", "3"]]), "notes.documents"),
    (document(expects=[["word", 0.5, 1]]), "notes.documents"),
    (of("environment", n_features=2001), "vocabulary"),
    (of("views", **{"retrieval.at": None}), "retrieval"),
    (view("retrieval.at", lambda a: a - 1), "retrieval.at"),
    (view("retrieval.at", lambda a: a[::-1].astype(np.uint32)), "retrieval.at"),
    (view("retrieval.precision", lambda a: a[1:]), "retrieval.precision"),
    (view("retrieval.precision", lambda a: a[:, ::-1]), "retrieval.precision"),
    (view("retrieval.tfidf", lambda a: a + 1), "retrieval.tfidf"),
    (of("metrics", tfidf_cosine=1.1), "figure 'tfidf_cosine'"),
    (of("metrics", completion_perplexity=0.5), "figure 'completion_perplexity'"),
    (of("metrics", unigram_perplexity=1e39), "figure 'unigram_perplexity'"),
    (of("metrics", knn_accuracy=0.999), "'knn_accuracy' is outside its interval"),
    (of("metrics", completion_perplexity=None), "completion_perplexity"),
    (of("views", samples=np.zeros((4, 10), np.uint8)), "view 'samples'"),
)


def test_wrong_runs_of_documents_are_refused(documents):
    run, weights, replay = documents
    for change, message in WRONG_DOCUMENTS:
        with pytest.raises(BadInput, match=message):
            schema.check(change(run), weights, replay)
    lsa, weights, replay = parts(shipped("docstrings", "lsa"))
    perplexity = {"completion_perplexity": run.metrics["completion_perplexity"]}
    refuse((replace(lsa, metrics={**lsa.metrics, **perplexity}), weights, replay), "no probabilities")


def test_wrong_gan_and_tsne_runs_are_refused():
    run, weights, replay = parts(shipped("digits", "gan"))
    refuse((of("views", samples=None)(run), weights, replay), "samples is missing")
    run, weights, replay = parts(shipped("digits", "tsne"))
    for name in ("map", "codes"):
        refuse((of("views", **{name: None})(run), weights, replay), f"{name} is missing")
    for changes, message in (
        ({"rows_test_": lambda a: a[:0]}, "rows_test_"),
        ({"rows_train_": lambda a: a[::-1].astype(np.uint32)}, "rows_train_"),
        ({"rows_train_": set_at(1297, -1)}, "rows_train_"),
        ({"embedding_": lambda a: a[2:]}, "no map of 1797 rows"),
        ({"embedding_": set_at(np.nan, 0)}, "finite"),
        ({"rows_test_": lambda a: a[1:], "embedding_": lambda a: a[2:]}, "not mapped"),
    ):
        changed = weights | {part: change(weights[part]) for part, change in changes.items()}
        refuse((run, changed, replay), message)


def about(**changes):
    def change(replay):
        entries = json.loads(bytes(replay["about"])) | changes
        entries = {name: value for name, value in entries.items() if value is not None}
        return {**replay, "about": np.frombuffer(json.dumps(entries).encode(), np.uint8)}

    return change


def snapshot(name, changed):
    return lambda replay: {**replay, name: changed(replay[name])}


def test_wrong_snapshots_are_refused(images):
    run, weights, replay = images
    for change in (
        lambda replay: {**replay, "colours": np.zeros(3)},
        lambda replay: {**replay, "about": np.zeros(3, np.uint8)},
        snapshot("epochs", lambda a: a[1:]),
        snapshot("seconds", set_at(np.nan, 0)),
        snapshot("map", lambda a: a[:, 1:]),
        snapshot("rows", set_at(500, -1)),
        snapshot("labels", set_at(10, 0)),
        snapshot("samples", lambda a: a[..., 1:]),
        about(image_shape=[4, 16]),
        about(target_names=[*"abcdefghij"]),
        about(samples=3),
        about(map="\ud800"),
        lambda replay: about(documents=["one"] * len(replay["epochs"]))(replay),
    ):
        refuse((run, weights, change(replay)), "pictures|Unicode")
