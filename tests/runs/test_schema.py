import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.runs import layout, reader, schema
from tests.runs.test_reader import JSON

SHIPPED = list(layout.iterate_places(layout.SHIPPED))


def parts(place):
    return reader.read_run(place), reader.read_weights(place), reader.read_replay(place)


def shipped(dataset, method):
    return parts(next(place for place in SHIPPED if place.parent.name == dataset and place.name.startswith(method)))


@pytest.fixture
def images(trained):
    """A run of images, with snapshots of its training."""
    return parts(trained)


def test_shipped_and_own_runs_pass(images):
    assert images[2]
    for run in (images, *map(parts, SHIPPED)):
        schema.check(*run)


def of(part, /, **changes):
    """The run with entries of a part put in, or left out where they are None."""

    def change(run):
        values = layout.metrics_to_json(run) if part == "metrics" else getattr(run, part)
        changed = {name: value for name, value in {**values, **changes}.items() if value is not None}
        if part != "metrics":
            return replace(run, **{part: changed})
        metrics, by_class = layout.metrics_from_json(changed)
        return replace(run, metrics=metrics, by_class=by_class)

    return change


def spec(**changes):
    return lambda run: replace(run, spec=replace(run.spec, **changes))


def params(**changes):
    return lambda run: spec(params=tuple(sorted({**dict(run.spec.params), **changes}.items())))(run)


def view(name, changed):
    return lambda run: of("views", **{name: changed(run.views[name])})(run)


def set_at(value, *index):
    def changed(array):
        array = array.copy()
        array[index] = value
        return array

    return changed


WRONG_RUNS = (
    (spec(method="lsa"), "LSA does not fit"),
    (spec(version=99), "version 99 of the method ae, this program has version 1"),
    (params(epochs=2.0), "does not say every parameter"),
    (params(network="\ud800"), "no Unicode"),
    (of("environment", kind="documents"), "kind or image shape"),
    (of("environment", date="2026-01-01T00:00:00"), "date"),
    (of("environment", threads=[1]), "environment.threads"),
    (lambda run: replace(run, history=[{"epoch": 1, "loss": 10**400}]), "history"),
    (of("metrics", weights=10**400), "metrics.weights"),
    (of("metrics", frechet={"0": 1.0}), "figure 'frechet'"),
    (of("metrics", seconds=-1.0), "figure 'seconds'"),
    (of("notes", colour="red"), "notes.colour"),
    (of("notes", target_names=None), "do not both have classes"),
    (of("views", shown_rows=None), "shown_rows is missing"),
    (view("shown_rows", set_at(500, -1)), "view 'shown_rows'"),
    (view("shown_rows", set_at(1, 0)), "a row twice"),
    (view("map", lambda a: a[1:]), "view 'map'"),
    (view("originals", lambda a: a.astype(np.float32)), "view 'originals'"),
    (view("samples", lambda a: np.tile(a, (100, 1))), "view 'samples'"),
    (of("views", **{"rows.squared_error": np.zeros(501, np.float32)}), "rows.squared_error"),
    (view("nearest.test", lambda a: -a), "nearest.test"),
    (view("sampler.mixture.means", lambda a: a[1:]), "sampler.mixture"),
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
        refuse((change(run), weights, replay), message)
    refuse((run, {**weights, "n_features_in": np.array(10**8)}, replay), "another size")
    refuse((run, {**weights, "extra": np.array([1.0, 1e200])}, replay), "finite")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(("environment", "notes", "metrics")), st.data(), JSON)
def test_any_json_in_a_run_is_taken_or_refused(images, part, data, value):
    run, weights, replay = images
    name = data.draw(st.sampled_from(sorted(getattr(run, part))) | st.text(max_size=8))
    with suppress(ValueError):  # BadInput is one; the other is the reader's
        schema.check(of(part, **{name: value})(run), weights, replay)


WRONG_DOCUMENTS = (
    (of("notes", documents=None), "documents are missing"),
    (of("notes", documents=[{"title": "", "class": "", "has": [], "expects": [["word", 0.5, 1]]}]), "notes.documents"),
    (of("environment", n_features=2001), "vocabulary"),
    (of("views", **{"retrieval.at": None}), "retrieval"),
    (view("retrieval.at", lambda a: a[::-1].astype(np.uint32)), "retrieval.at"),
    (view("retrieval.precision", lambda a: a[:, ::-1]), "retrieval.precision"),
    (of("metrics", tfidf_cosine=1.1), "figure 'tfidf_cosine'"),
    (of("metrics", knn_accuracy=0.999), "'knn_accuracy' is outside its interval"),
    (of("metrics", completion_perplexity=0.5), "figure 'completion_perplexity'"),
)


def test_wrong_runs_of_documents_are_refused():
    run, weights, replay = shipped("docstrings", "ae")
    for change, message in WRONG_DOCUMENTS:
        refuse((change(run), weights, replay), message)
    lsa, weights, replay = shipped("docstrings", "lsa")
    refuse((of("metrics", completion_perplexity=900.0)(lsa), weights, replay), "no probabilities")


def test_wrong_gan_and_tsne_runs_are_refused():
    run, weights, replay = shipped("digits", "gan")
    refuse((of("views", samples=None)(run), weights, replay), "samples is missing")
    run, weights, replay = shipped("digits", "tsne")
    for changes, message in (
        ({"rows_train_": lambda a: a[::-1].astype(np.uint32)}, "rows_train_"),
        ({"embedding_": lambda a: a[2:]}, "no map of 1797 rows"),
        ({"embedding_": set_at(np.nan, 0)}, "finite"),
        ({"rows_test_": lambda a: a[1:], "embedding_": lambda a: a[2:]}, "not mapped"),
    ):
        changed = weights | {part: change(weights[part]) for part, change in changes.items()}
        refuse((run, changed, replay), message)


def about(**changes):
    def change(replay):
        entries = json.loads(bytes(replay["about"])) | changes
        return {"about": np.frombuffer(json.dumps(entries).encode(), np.uint8)}

    return change


def test_wrong_snapshots_are_refused(images):
    run, weights, replay = images
    for change in (
        lambda replay: {"colours": np.zeros(3)},
        lambda replay: {"about": np.zeros(3, np.uint8)},
        lambda replay: {"epochs": replay["epochs"][1:]},
        lambda replay: {"rows": set_at(500, -1)(replay["rows"])},
        about(image_shape=[4, 16]),
        about(target_names=[*"abcdefghij"]),
        about(samples=3),
        about(map="\ud800"),
        about(documents=["one"]),
    ):
        refuse((run, weights, replay | change(replay)), "pictures|Unicode")
