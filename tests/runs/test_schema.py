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
    """A run of images, with pictures of its training."""
    spec = specs.make("digits", "ae", {"epochs": 2, "width": 32, "n_components": 3})
    folder = tmp_path_factory.mktemp("runs")
    fit.fit_and_store(spec, datasets.load("digits"), folder)
    return parts(layout.place_of(folder, spec))


@pytest.fixture(scope="module")
def documents():
    """A run of documents, with figures as an autoencoder's run has them."""
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


@pytest.fixture(scope="module")
def gan():
    return parts(shipped("digits", "gan"))


@pytest.fixture(scope="module")
def positions():
    return parts(shipped("digits", "tsne"))


def test_shipped_runs_and_own_ones_could_come_from_elsewhere(images, documents):
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


WRONG = {
    "an unknown data set": (spec(dataset="cifar"), "no data set 'cifar'"),
    "an unknown method": (spec(method="umap"), "no method umap"),
    "a method for other data": (spec(method="lsa"), "LSA does not fit"),
    "a very long name": (spec(method="x" * 10_000), "too long"),
    "a parameter out of bounds": (params(width=5), "width=5 is not allowed"),
    "a parameter of no method": (params(colour="red"), "colour is no parameter"),
    "a parameter of another type": (params(epochs=2.0), "does not say every parameter"),
    "a parameter left out": (
        lambda run: replace(run, spec=replace(run.spec, params=run.spec.params[1:])),
        "does not say every parameter",
    ),
    "a parameter of the data set": (spec(dataset_params=(("vocabulary_size", 100),)), "no parameter of digits"),
    "a negative seed": (spec(seed=-1), "seed=-1"),
    "another version": (spec(version=99), "version 99 of the method ae, this program has version 1"),
    "half a character": (of("notes", map="\ud800"), "no Unicode"),
    "half a character in a parameter": (params(network="\ud800"), "no Unicode"),
    "another kind": (of("environment", kind="documents"), "kind or image shape"),
    "another image shape": (of("environment", image_shape=[4, 16]), "kind or image shape"),
    "no image shape": (of("environment", image_shape=None), "kind or image shape"),
    "more features": (of("environment", n_features=65), "number of pixels"),
    "no features": (of("environment", n_features=None), "environment.n_features"),
    "no train rows": (of("environment", n_train=0), "environment.n_train"),
    "too many test rows": (of("environment", n_test=10**400), "environment.n_test"),
    "endless seconds": (of("environment", seconds=10**400), "seconds"),
    "no date": (of("environment", date="yesterday"), "date"),
    "a date of no zone": (of("environment", date="2026-01-01T00:00:00"), "date"),
    "a stop that is text": (of("environment", stopped_early="no"), "stopped_early"),
    "versions as a list": (of("environment", versions=["torch"]), "versions"),
    "a version as a number": (of("environment", versions={"torch": 2}), "versions"),
    "an environment of lists": (of("environment", threads=[1]), "environment.threads"),
    "a text without end": (of("environment", device="x" * 10_000), "environment.device"),
    "a loss as text": (row(loss="small"), "history"),
    "a loss that is nothing": (row(loss=None), "history"),
    "a loss that is true": (row(loss=True), "history"),
    "a loss beyond all floats": (row(loss=10**400), "history"),
    "a row without its epoch": (lambda run: replace(run, history=[{"loss": 1.0}]), "history"),
    "very many losses": (row(**{f"{k}_loss": 1.0 for k in range(100)}), "history"),
    "a figure as a list": (of("metrics", squared_error=[1.0]), "figure 'squared_error'"),
    "a figure that is nothing but true": (of("metrics", squared_error=True), "figure 'squared_error'"),
    "a figure beyond all floats": (of("metrics", weights=10**400), "figure 'weights'"),
    "a figure a class where one is meant": (of("metrics", frechet={"0": 1.0}), "figure 'frechet'"),
    "one figure where one a class is meant": (of("metrics", class_shares=1.0), "figure 'class_shares'"),
    "classes' figures as text": (of("metrics", squared_error_per_class={"0": "small"}), "squared_error_per_class"),
    "an interval of one number": (of("metrics", squared_error_interval=[1.0]), "squared_error_interval"),
    "an interval of texts": (of("metrics", squared_error_interval=["1", "2"]), "squared_error_interval"),
    "an interval backwards": (of("metrics", squared_error_interval=[2.0, 1.0]), "squared_error"),
    "a number as interval": (of("metrics", squared_error_interval=1.0), "squared_error_interval"),
    "a count that is none": (of("metrics", squared_error_n=0.5), "squared_error_n"),
    "a time before the start": (of("metrics", seconds=-1.0), "figure 'seconds'"),
    "an unknown note": (of("notes", colour="red"), "notes.colour"),
    "a note as a list": (of("notes", map=["the code"]), "notes.map"),
    "a map nobody explains": (of("notes", map=None), "how its map came about"),
    "samples nobody explains": (of("notes", samples=None), "how its samples came about"),
    "no names of classes": (of("notes", target_names=None), "do not both have classes"),
    "names of classes as text": (of("notes", target_names="0123456789"), "notes.target_names"),
    "a class without a name": (of("notes", target_names=[*"012345678", None]), "notes.target_names"),
    "fewer names than classes": (of("notes", target_names=["0", "1"]), "view 'labels'"),
    "no rows shown": (of("views", shown_rows=None), "shown_rows is missing"),
    "an empty view": (view("shown_rows", lambda a: a[:0]), "view '"),
    "rows as one number": (view("shown_rows", lambda a: np.array(3)), "view '"),
    "a row beyond the test rows": (view("shown_rows", set_at(500, -1)), "view 'shown_rows'"),
    "a row before the first": (view("shown_rows", set_at(-1, 0)), "view 'shown_rows'"),
    "a row twice": (view("shown_rows", set_at(1, 0)), "a row twice"),
    "rows as floats": (view("shown_rows", lambda a: a.astype(np.float32)), "view 'shown_rows'"),
    "no map": (of("views", map=None), "map is missing"),
    "a map in three dimensions": (view("map", lambda a: np.column_stack([a, a[:, 0]])), "view 'map'"),
    "a map of fewer rows": (view("map", lambda a: a[1:]), "view 'map'"),
    "a map to nowhere": (view("map", set_at(np.nan, 0, 0)), "view 'map'"),
    "a map that no float32 measures": (view("map", set_at(1e30, 0, 0)), "view 'map'"),
    "a map of whole numbers": (view("map", lambda a: a.astype(int)), "view 'map'"),
    "no codes": (of("views", codes=None), "codes is missing"),
    "codes of another size": (view("codes", lambda a: a[:, :2]), "view 'codes'"),
    "codes without end": (view("codes", set_at(np.inf, 0, 0)), "view 'codes'"),
    "no labels": (of("views", labels=None), "labels is missing"),
    "a label of no class": (view("labels", set_at(10, 0)), "view 'labels'"),
    "a label below all": (view("labels", set_at(-2, 0)), "view 'labels'"),
    "fewer labels": (view("labels", lambda a: a[1:]), "view 'labels'"),
    "no strip": (of("views", strip_rows=None), "strip_rows is missing"),
    "a longer strip": (view("strip_rows", lambda a: np.append(a, a[:1])), "view '"),
    "a strip of other rows": (
        lambda run: replace(
            run, views={name: a[20:] if name in ("shown_rows", "map", "codes", "labels") else a
                        for name, a in run.views.items()} | {"strip_rows": run.views["shown_rows"][:20]}
        ),
        "strip_rows are not among",
    ),
    "no reconstructions": (of("views", reconstructions=None), "reconstructions is missing"),
    "images of another size": (view("reconstructions", lambda a: a[:, 1:]), "view 'reconstructions'"),
    "images as floats": (view("originals", lambda a: a.astype(np.float32)), "view 'originals'"),
    "images as images": (view("originals", lambda a: a.reshape(-1, 8, 8)), "view 'originals'"),
    "no samples": (of("views", samples=None), "samples is missing"),
    "an empty sheet of samples": (view("samples", lambda a: a[:0]), "view 'samples'"),
    "very many samples": (view("samples", lambda a: np.tile(a, (100, 1))), "view 'samples'"),
    "an unknown view": (of("views", colours=np.zeros(3)), "view 'colours'"),
    "more scores than rows": (of("views", **{"rows.squared_error": np.zeros(501, np.float32)}), "rows.squared_error"),
    "scores in a table": (of("views", **{"rows.squared_error": np.zeros((5, 2), np.float32)}), "rows.squared_error"),
    "scores that are no numbers": (view("rows.squared_error", set_at(np.nan, 0)), "rows.squared_error"),
    "scores of any size": (view("rows.squared_error", lambda a: a.astype(float) * 1e200), "rows.squared_error"),
    "distances below nothing": (view("nearest.test", lambda a: -a), "nearest.test"),
    "distances in a table": (view("nearest.test", lambda a: a[None]), "nearest.test"),
    "an unknown part of a sampler": (of("views", **{"sampler.mixture.names": np.zeros(3, np.float32)}), "names"),
    "a sampler of another code": (view("sampler.mixture.means", lambda a: a[:, 1:]), "sampler.mixture"),
    "a sampler of fewer modes": (view("sampler.mixture.means", lambda a: a[1:]), "sampler.mixture"),
    "a sampler without a part": (of("views", **{"sampler.mixture.weights": None}), "sampler.mixture"),
    "a sampler of weight below nothing": (view("sampler.mixture.weights", lambda a: -a), "sampler.mixture"),
    "a sampler without end": (view("sampler.gaussian.factors", set_at(np.nan, 0, 0, 0)), "sampler.gaussian"),
    "another sampler's classes as text": (of("metrics", **{"mixture.class_shares": 1.0}), "mixture.class_shares"),
    "scores as truths": (view("rows.knn_accuracy", lambda a: a.astype(bool)), "rows.knn_accuracy"),
    "scores of no figure": (
        of("metrics", squared_error=None, squared_error_interval=None, squared_error_n=None),
        "'rows.squared_error' are the scores of no figure",
    ),
}  # fmt: skip


def refuse(message, run, weights, pictures, change=lambda run: run):
    with pytest.raises(BadInput, match=message) as refusal:
        schema.check(change(run), weights, pictures)
    assert len(str(refusal.value)) < 500
    assert "\n" not in str(refusal.value)


def test_runs_of_images_that_a_page_could_fail_on_are_refused(images):
    run, weights, pictures = images
    for change, message in WRONG.values():
        refuse(message, run, weights, pictures, change)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(("environment", "notes", "metrics", "history")), st.data(), JSON)
def test_any_json_in_a_run_is_taken_or_refused_in_one_sentence(images, part, data, value):
    run, weights, pictures = images
    if part == "history":
        changed = replace(run, history=[*run.history, value] if isinstance(value, dict) else run.history)
    else:
        name = data.draw(st.sampled_from(sorted(getattr(run, part))) | st.text(max_size=8))
        changed = None
    with suppress(BadInput):
        schema.check(changed or of(part, **{name: value})(run), weights, pictures)


def document(**changes):
    return lambda run: of("notes", documents=[{**run.notes["documents"][0], **changes}])(run)


WRONG_OF_DOCUMENTS = {
    "no documents": (of("notes", documents=None), "documents are missing"),
    "documents as text": (of("notes", documents="many"), "notes.documents"),
    "a document as text": (of("notes", documents=["one"]), "notes.documents"),
    "a document without a title": (document(title=None), "notes.documents"),
    "a class as a number": (document(**{"class": 3}), "notes.documents"),
    "words alone": (document(has=["word"]), "notes.documents"),
    "a word without a count": (document(has=[["word", "3"]]), "notes.documents"),
    "an expected word of two parts": (document(expects=[["word", 0.5]]), "notes.documents"),
    "an expected word not said to be there": (document(expects=[["word", 0.5, 1]]), "notes.documents"),
    "more features than words counted": (of("environment", n_features=2001), "vocabulary"),
    "retrieval without its counts": (of("views", **{"retrieval.at": None}), "retrieval"),
    "counts without their retrieval": (of("views", **{"retrieval.precision": None}), "its retrieval has no counts"),
    "no answers": (view("retrieval.at", lambda a: a - 1), "retrieval.at"),
    "no counts at all": (view("retrieval.at", lambda a: a[:0]), "retrieval"),
    "one count alone": (view("retrieval.at", lambda a: a[0]), "retrieval"),
    "as many answers as documents": (
        lambda run: view("retrieval.at", set_at(run.environment["n_test"], -1))(run),
        "retrieval.at",
    ),
    "counts as floats": (view("retrieval.at", lambda a: a.astype(np.float32)), "retrieval.at"),
    "counts in any order": (view("retrieval.at", lambda a: a[::-1]), "retrieval.at"),
    "counts in any order, without a sign": (view("retrieval.at", lambda a: a[::-1].astype(np.uint32)), "retrieval.at"),
    "counts in a table": (view("retrieval.at", lambda a: a[:, None]), "retrieval.at"),
    "very many counts": (
        lambda run: of(
            "views",
            **{
                "retrieval.at": np.arange(1, 101),
                "retrieval.precision": np.full((100, 3), 0.5),
                "retrieval.tfidf": None,
            },
        )(run),
        "retrieval.at",
    ),
    "a precision of fewer counts": (view("retrieval.precision", lambda a: a[1:]), "retrieval.precision"),
    "a precision without an interval": (view("retrieval.precision", lambda a: a[:, 0]), "retrieval.precision"),
    "a precision as whole numbers": (view("retrieval.precision", lambda a: a.astype(int)), "retrieval.precision"),
    "a precision that is none": (view("retrieval.tfidf", set_at(np.nan, 0, 0)), "retrieval.tfidf"),
    "a precision above all": (view("retrieval.tfidf", lambda a: a + 1), "retrieval.tfidf"),
    "a precision below nothing": (view("retrieval.precision", lambda a: a - 0.2), "retrieval.precision"),
    "a precision outside its interval": (view("retrieval.precision", lambda a: a[:, ::-1]), "retrieval.precision"),
    "a precision of something else": (
        of("views", **{"retrieval.colours": np.full((3, 3), 0.5, np.float32)}),
        "retrieval.colours",
    ),
    "a cosine above one": (of("metrics", tfidf_cosine=1.1), "figure 'tfidf_cosine'"),
    "a cosine that is none": (of("metrics", tfidf_cosine=float("nan")), "figure 'tfidf_cosine'"),
    "a perplexity below one": (of("metrics", completion_perplexity=0.5), "figure 'completion_perplexity'"),
    "a perplexity beyond all words": (of("metrics", unigram_perplexity=1e39), "figure 'unigram_perplexity'"),
    "an interval below one": (
        of("metrics", completion_perplexity_interval=[0.5, 910.0]),
        "figure 'completion_perplexity'",
    ),
    "more than all neighbours right": (of("metrics", tfidf_knn_accuracy=1.5), "figure 'tfidf_knn_accuracy'"),
    "more answers right than asked for": (of("metrics", retrieval_precision_15=1.1), "figure 'retrieval_precision_15'"),
    "more codes right than there are": (of("metrics", knn_accuracy=1.1), "figure 'knn_accuracy'"),
    "an accuracy outside its interval": (of("metrics", knn_accuracy=0.999), "'knn_accuracy' is outside its interval"),
    "a perplexity outside its interval": (
        of("metrics", completion_perplexity=911.0),
        "'completion_perplexity' is outside its interval",
    ),
    "a mixture's perplexity below one": (of("metrics", cache_perplexity=0.5), "figure 'cache_perplexity'"),
    "a figure of more documents than there are": (
        lambda run: of("metrics", completion_perplexity_n=run.environment["n_test"] + 1)(run),
        "figure 'completion_perplexity'",
    ),
    "a share of less than no word": (of("metrics", completion_floored=-0.1), "figure 'completion_floored'"),
    "scores of a perplexity that is not told": (
        of("metrics", completion_perplexity=None, completion_perplexity_interval=None, completion_perplexity_n=None),
        "scores of no figure",
    ),
    "images of documents": (of("views", samples=np.zeros((4, 10), np.uint8)), "view 'samples'"),
    "images of documents, explained": (
        lambda run: of("notes", samples="drawn")(of("views", samples=np.zeros((4, 10), np.uint8))(run)),
        "view 'samples'",
    ),
}


def test_method_without_probabilities_has_no_perplexity(documents):
    run, weights, pictures = parts(shipped("docstrings", "lsa"))
    metrics = run.metrics | {"completion_perplexity": documents[0].metrics["completion_perplexity"]}
    with pytest.raises(BadInput, match="no probabilities"):
        schema.check(replace(run, metrics=metrics), weights, pictures)


def test_images_have_no_retrieval(images):
    run, weights, pictures = images
    views = {"retrieval.at": np.array([1], np.int32), "retrieval.precision": np.full((1, 3), 0.5, np.float32)}
    with pytest.raises(BadInput, match="view 'retrieval"):
        schema.check(of("views", **views)(run), weights, pictures)


def test_runs_of_documents_that_a_page_could_fail_on_are_refused(documents):
    run, weights, pictures = documents
    for change, message in WRONG_OF_DOCUMENTS.values():
        refuse(message, run, weights, pictures, change)


def test_gan_needs_no_code_but_samples(gan):
    run, weights, pictures = gan
    assert "codes" not in run.views
    with pytest.raises(BadInput, match="samples is missing"):
        schema.check(of("views", samples=None)(run), weights, pictures)


def test_map_of_rows_needs_no_images_but_a_position_of_each_row_shown(positions):
    run, weights, pictures = positions
    assert not {"samples", "reconstructions", "strip_rows"} & set(run.views)
    for name in ("map", "codes"):
        with pytest.raises(BadInput, match=f"{name} is missing"):
            schema.check(of("views", **{name: None})(run), weights, pictures)


WRONG_POSITIONS = {
    "no rows": ({"rows_train_": None}, "rows_train_"),
    "no test rows": ({"rows_test_": lambda a: a[:0]}, "rows_test_"),
    "rows as floats": ({"rows_train_": lambda a: a.astype(np.float32)}, "rows_train_"),
    "rows in a table": ({"rows_train_": lambda a: a[:, None]}, "rows_train_"),
    "rows in any order": ({"rows_train_": lambda a: a[::-1]}, "rows_train_"),
    "rows in any order, without a sign": ({"rows_train_": lambda a: a[::-1].astype(np.uint32)}, "rows_train_"),
    "a row twice": ({"rows_test_": set_at(0, 1)}, "rows_test_"),
    "a row beyond the train rows": ({"rows_train_": set_at(1297, -1)}, "rows_train_"),
    "a row before the first": ({"rows_test_": set_at(-1, 0)}, "rows_test_"),
    "no positions": ({"embedding_": None}, "no map of 1797 rows"),
    "positions of fewer rows": ({"embedding_": lambda a: a[2:]}, "no map of 1797 rows"),
    "whole positions": ({"embedding_": lambda a: a.astype(int)}, "no map of 1797 rows"),
    "a position nowhere": ({"embedding_": set_at(np.nan, 0)}, "finite"),
    "rows that are shown and not mapped": (
        {"rows_test_": lambda a: a[1:], "embedding_": lambda a: a[2:]},
        "not mapped",
    ),
}


def test_positions_that_a_page_could_fail_on_are_refused(positions):
    run, weights, pictures = positions
    for changes, message in WRONG_POSITIONS.values():
        changed = {**weights, **{part: change and change(weights[part]) for part, change in changes.items()}}
        refuse(message, run, {part: array for part, array in changed.items() if array is not None}, pictures)


def test_weights_that_could_not_be_built_are_refused(images):
    run, weights, pictures = images
    for size in (np.array(10**8), np.array([64, 64])):
        refuse("another size", run, {**weights, "n_features_in": size}, pictures)
    for number in (np.nan, 1 + 2j, 1e200):
        refuse("finite", run, {**weights, "extra": np.array([1.0, number])}, pictures)


def about(**changes):
    def change(pictures):
        told = json.loads(bytes(pictures["about"])) | changes
        told = {name: value for name, value in told.items() if value is not None}
        return {**pictures, "about": np.frombuffer(json.dumps(told).encode(), np.uint8)}

    return change


def picture(name, changed):
    return lambda pictures: {**pictures, name: changed(pictures[name])}


WRONG_PICTURES = {
    "something else": lambda pictures: {"colours": np.zeros(3)},
    "something more": lambda pictures: {**pictures, "colours": np.zeros(3)},
    "no story": lambda pictures: {**pictures, "about": np.zeros(3, np.uint8)},
    "fewer epochs": picture("epochs", lambda a: a[1:]),
    "epochs as whole numbers": picture("epochs", lambda a: np.arange(len(a))),
    "seconds that are none": picture("seconds", set_at(np.nan, 0)),
    "a map of fewer rows": picture("map", lambda a: a[:, 1:]),
    "a map to nowhere": picture("map", set_at(np.inf, 0, 0, 0)),
    "a row beyond the test rows": picture("rows", set_at(500, -1)),
    "rows as floats": picture("rows", lambda a: a.astype(np.float32)),
    "a label of no class": picture("labels", set_at(10, 0)),
    "images of another size": picture("samples", lambda a: a[..., 1:]),
    "images as floats": picture("reconstructions", lambda a: a.astype(np.float32)),
    "no samples at all": picture("samples", lambda a: a[:, :0]),
    "another image shape": about(image_shape=[4, 16]),
    "other names of classes": about(target_names=[*"abcdefghij"]),
    "a map nobody explains": about(map=None),
    "samples explained by a number": about(samples=3),
    "half a character": about(map="\ud800"),
    "documents that are none": lambda pictures: about(documents=["one"] * len(pictures["epochs"]))(pictures),
}


def test_snapshots_that_a_page_could_fail_on_are_refused(images):
    run, weights, pictures = images
    for change in WRONG_PICTURES.values():
        refuse(r"[Tt]he pictures of (its|this) training", run, weights, change(pictures))
