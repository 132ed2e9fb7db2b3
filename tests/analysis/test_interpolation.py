"""Samplers of a run, their ranking, memory; paths between codes against scipy, and directions from class to class."""

import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from core import datasets, methods
from core.analysis import interpolation, samplers
from core.analysis.samplers import GAUSSIAN, MIXTURE, NORMAL, STANDARDISED, CodeSampler
from core.errors import BadInput
from core.experiments.evaluate import Subject
from core.experiments.evaluate_samples import evaluate_samples
from core.runs import reader, store
from core.types import Run, Spec, measurements_to_json

SHARES = np.linspace(0, 1, 11)
PATHS = (interpolation.lerp, interpolation.slerp)


@pytest.fixture
def pair():
    """Two codes of 10 numbers and of one length."""
    start, end = np.random.default_rng(0).normal(size=(2, 10))
    return start, end * np.linalg.norm(start) / np.linalg.norm(end)


def angles(path: np.ndarray) -> np.ndarray:
    """Between neighbours on the path, in radians, by the chord: exact where they are small."""
    units = path / np.linalg.norm(path, axis=1, keepdims=True)
    return 2 * np.arcsin(np.linalg.norm(np.diff(units, axis=0), axis=1) / 2)


# --- Paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3, 10, 64])
def test_the_arc_is_scipys(size):
    rng = np.random.default_rng(size)
    start, end = (code / np.linalg.norm(code) for code in rng.normal(size=(2, size)))
    np.testing.assert_allclose(interpolation.slerp(start, end, SHARES), geometric_slerp(start, end, SHARES), atol=1e-12)
    np.testing.assert_allclose(
        interpolation.slerp(7 * start, 7 * end, SHARES), 7 * geometric_slerp(start, end, SHARES), atol=1e-11
    )


def test_the_arc_keeps_the_length_of_codes_of_one_length_and_turns_evenly(pair):
    path = interpolation.slerp(*pair, SHARES)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(pair[0]), rtol=1e-12)
    steps = angles(path)
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-9)
    assert np.linalg.norm(interpolation.lerp(*pair, [0.5])) < 0.9 * np.linalg.norm(pair[0])


def test_lengths_change_evenly_along_the_arc(pair):
    start, end = pair[0], 3 * pair[1]
    path = interpolation.slerp(start, end, SHARES)
    lengths = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(np.diff(lengths), np.diff(lengths).mean(), rtol=1e-9)
    np.testing.assert_allclose(angles(path), angles(path).mean(), rtol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_begins_and_ends_at_its_codes_and_turns_round(path, pair):
    start, end = pair[0], 2 * pair[1]
    there = path(start, end, SHARES)
    assert there.shape == (11, 10)
    assert there.dtype == np.float64
    np.testing.assert_allclose(there[[0, -1]], [start, end], atol=1e-12)
    np.testing.assert_allclose(path(end, start, SHARES)[::-1], there, atol=1e-12)


def test_the_line_is_straight():
    found = interpolation.lerp([0, 2], [4, 0], [0, 0.25, 1])
    assert found.tolist() == [[0, 2], [1, 1.5], [4, 0]]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([1.0, 2.0], [3.0, 6.0]),
        ([1.0, 2.0], [-2.0, -4.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0], [-3.0]),
        ([1e-30, 0.0], [0.0, 1.0]),
    ],
    ids=["parallel", "opposite", "from nothing", "to nothing", "nothing", "equal", "one number", "nearly nothing"],
)
def test_where_there_is_no_arc_the_line_is_taken(start, end):
    path = interpolation.slerp(start, end, SHARES)
    assert np.isfinite(path).all()
    np.testing.assert_array_equal(path, interpolation.lerp(start, end, SHARES))


def test_the_arc_goes_over_into_the_line_without_a_jump():
    """However near two codes are to one direction, arc and line agree to the square of the angle."""
    start = np.array([1.0, 0.0])
    for angle in 10.0 ** np.arange(-9, -2):
        end = np.array([np.cos(angle), np.sin(angle)])
        gap = np.abs(interpolation.slerp(start, end, SHARES) - interpolation.lerp(start, end, SHARES)).max()
        assert gap <= angle**2 + 1e-9


@pytest.mark.parametrize("path", PATHS)
def test_a_path_needs_two_codes_of_one_size(path):
    with pytest.raises(BadInput, match=r"not between \(2,\) and \(3,\)"):
        path(np.zeros(2), np.zeros(3), SHARES)
    with pytest.raises(BadInput, match="two codes of one size"):
        path(np.zeros((2, 2)), np.zeros((2, 2)), SHARES)


# --- Directions ---------------------------------------------------------------------------------------------------


def test_the_difference_of_two_classes_is_that_of_their_means():
    Z = np.array([[0, 0], [2, 4], [10, 10], [20, 0], [99, 99]], np.float16)
    y = np.array([3, 3, 5, 5, -1])
    assert interpolation.compute_class_difference(Z, y, plus=5, minus=3).tolist() == [14, 3]
    assert interpolation.compute_class_difference(Z, y, plus=3, minus=5).tolist() == [-14, -3]
    assert interpolation.compute_class_difference(Z, y, plus=3, minus=3).tolist() == [0, 0]


def test_a_difference_of_many_small_codes_is_not_rounded_away():
    Z = np.full((5000, 1), 60.0, np.float16)
    y = np.arange(5000) % 2
    Z[y == 1] = 61.0
    assert interpolation.compute_class_difference(Z, y, 1, 0).tolist() == [1.0]


def test_a_class_without_rows_has_no_direction():
    for plus, minus in ((7, 0), (0, 7)):
        with pytest.raises(BadInput, match="No row of class number 7"):
            interpolation.compute_class_difference(np.zeros((3, 2)), np.zeros(3, int), plus, minus)


# --- Ranking ------------------------------------------------------------------------------------------------------


def figure(value: float, low: float, high: float) -> dict:
    return {"frechet": value, "frechet_interval": [low, high]}


def test_the_smallest_distance_is_best_and_told_where_no_interval_meets_its_own():
    found = samplers.rank_samplers({"b": figure(2, 1.8, 2.2), "c": figure(9, 8, 10), "a": figure(1, 0.9, 1.1)})
    assert found.order == ("a", "b", "c")
    assert found.is_significant
    assert found.tied == ()


def test_whose_interval_meets_the_best_ones_is_tied_with_it():
    figures = {
        "a": figure(1, 0.5, 1.5),
        "b": figure(2, 1.5, 2.5),  # they touch
        "c": figure(3, 2.4, 3.5),  # meets b, not a
        "d": figure(4, 1.4, 6.6),
        "e": figure(9, 8.9, 9.1),
    }
    found = samplers.rank_samplers(figures)
    assert found.order == tuple("abcde")
    assert found.tied == ("b", "d")
    assert not found.is_significant


def test_an_interval_within_that_of_the_best_is_tied():
    assert samplers.rank_samplers({"a": figure(1, 0, 10), "b": figure(5, 4.9, 5.1)}).tied == ("b",)
    assert samplers.rank_samplers({"a": figure(1, 0.9, 1.1), "b": figure(5, 0.1, 9.9)}).tied == ("b",)


def test_where_little_is_known_little_is_ranked():
    assert samplers.rank_samplers({}) == samplers.Ranking((), ())
    assert samplers.rank_samplers({"a": {}, "b": {"recall": 1.0}}) == samplers.Ranking((), ())
    one = samplers.rank_samplers({"a": {}, "b": figure(1, 0.9, 1.1)})
    assert (one.order, one.tied, one.is_significant) == (("b",), (), True)


def test_a_figure_without_an_interval_is_not_ranked():
    """A run from elsewhere may lack one."""
    found = samplers.rank_samplers({"a": {"frechet": 0.1}, "b": figure(1, 0.9, 1.1), "c": figure(2, 1.9, 2.1)})
    assert found.order == ("b", "c")


# --- Figures of a sampler -----------------------------------------------------------------------------------------


def run_of(method: str, metrics: dict | None = None, views: dict | None = None) -> Run:
    spec = Spec("digits", method, (("n_components", 2),), 0)
    return Run(spec, [], metrics or {}, {}, {}, views or {}, None)


def test_the_usual_samplers_figures_have_no_prefix_and_the_others_theirs():
    metrics = {
        "frechet": 1.0,
        "frechet_interval": [0.9, 1.1],
        "frechet_n": 500,
        "frechet_floor": 0.1,
        "squared_error": 3.0,
        "mixture.frechet": 2.0,
        "mixture.frechet_interval": [1.9, 2.1],
        "mixture.class_shares": {"0": 1.0},
        "mixture.copies": 0.0,
        "copies": 0.25,
        "normal.recall": 0.5,
    }
    run = run_of("ae", metrics)
    assert methods.entry("ae").samplers[0] == GAUSSIAN
    usual = {"frechet": 1.0, "frechet_interval": [0.9, 1.1], "frechet_n": 500, "copies": 0.25}
    assert samplers.select_scores(run, GAUSSIAN) == usual
    assert samplers.select_scores(run, MIXTURE) == {
        "frechet": 2.0,
        "frechet_interval": [1.9, 2.1],
        "copies": 0.0,
        "class_shares": {"0": 1.0},
    }
    assert samplers.select_scores(run, NORMAL) == {"recall": 0.5}
    assert samplers.select_scores(run, STANDARDISED) == {}
    # Of a VAE the prior is the usual one.
    assert samplers.select_scores(run_of("vae", metrics), NORMAL) == usual


class _Decoder:
    n_components = 2


@pytest.mark.parametrize("kind", [STANDARDISED, GAUSSIAN, MIXTURE])
def test_a_sampler_is_the_one_that_was_stored(kind):
    fitted = CodeSampler(kind).fit(np.random.default_rng(0).normal(3, 2, (400, 2)))
    run = run_of("ae", views={f"sampler.{kind}.{name}": a for name, a in fitted.arrays().items()})
    found = samplers.restore_sampler(run, kind, _Decoder())
    np.testing.assert_allclose(found.sample(9, 5), fitted.sample(9, 5), rtol=1e-5, atol=1e-5)


def test_the_prior_needs_nothing_stored():
    drawn = samplers.restore_sampler(run_of("vae"), NORMAL, _Decoder()).sample(5, 3)
    np.testing.assert_array_equal(drawn, np.random.RandomState(3).standard_normal((5, 2)))


@pytest.mark.parametrize("missing", ["weights", "means", "factors"])
def test_a_run_that_was_measured_before_there_were_samplers_says_so(missing):
    fitted = CodeSampler(GAUSSIAN).fit(np.random.default_rng(0).normal(size=(40, 2)))
    views = {f"sampler.gaussian.{name}": a for name, a in fitted.arrays().items() if name != missing}
    with pytest.raises(BadInput, match="holds no fitted distribution of its codes: train it again"):
        samplers.restore_sampler(run_of("ae", views=views), GAUSSIAN, _Decoder())


# --- Memory -------------------------------------------------------------------------------------------------------


def test_copies_are_flagged_where_the_intervals_lie_apart():
    assert samplers.has_excess_copies({"copies_interval": [0.2, 0.4]}, (0.0, 0.1))
    assert not samplers.has_excess_copies({"copies_interval": [0.05, 0.4]}, (0.0, 0.1))
    assert not samplers.has_excess_copies({"copies_interval": [0.1, 0.4]}, (0.0, 0.1))
    assert not samplers.has_excess_copies({"copies_interval": [0.0, 0.01]}, (0.02, 0.1))
    assert not samplers.has_excess_copies({"copies": 1.0}, (0.0, 0.1))
    assert not samplers.has_excess_copies({}, (0.0, 0.1))


class _Memoriser:
    """A decoder that hands out training rows, slightly changed: a code says which."""

    n_components = 1

    def __init__(self, X: np.ndarray, share: float = 1.0):
        self.X, self.share = X, share

    def sample(self, n_samples, random_state=None):
        raise AssertionError("Only its decoder is asked.")

    def inverse_transform(self, Z):
        rng = np.random.default_rng(0)
        known = self.X[(np.abs(np.asarray(Z)[:, 0]) * 1e6).astype(int) % len(self.X)]
        blurred = (known + self.X[rng.permutation(len(self.X))[: len(known)]]) / 2
        remembered = rng.random(len(known)) < self.share
        return np.where(remembered[:, None], known + rng.normal(0, 0.01, known.shape), blurred).astype(np.float32)


def measured(estimator, kind: str = NORMAL) -> Run:
    """The run of a decoder, with the figures that fits have."""
    digits = datasets.load("digits")
    scores = evaluate_samples(Subject(estimator, digits, (kind,)))
    return run_of("gan", measurements_to_json(scores.metrics, scores.by_class), scores.views)


@pytest.mark.parametrize(("share", "is_flagged"), [(1.0, True), (0.2, True), (0.0, False)])
def test_a_memoriser_is_flagged_and_one_that_blurs_is_not(share, is_flagged):
    run = measured(_Memoriser(datasets.load("digits").floats("train"), share))
    figures = samplers.select_scores(run, NORMAL)
    assert figures["copies"] == pytest.approx(share, abs=0.06)
    assert samplers.has_excess_copies(figures, tuple(run.metrics["copies_floor_interval"])) == is_flagged
    if share == 1:
        # Judged by the other figures alone a memoriser is as good as the data.
        assert figures["precision"] > run.metrics["precision_floor"] - 0.05
        assert figures["recall"] > run.metrics["recall_floor"] - 0.05
        assert np.median(run.views["nearest.normal"]) < 0.2 * np.median(run.views["nearest.test"])


def shipped_digits() -> list[Run]:
    places = [run.place for run in store.list_runs()[0] if run.spec.dataset == "digits"]
    return [reader.read_run(place) for place in places]


def test_no_shipped_run_of_digits_repeats_training_rows():
    judged = 0
    for run in shipped_digits():
        floor = run.metrics.get("copies_floor_interval")
        for kind in methods.entry(run.spec.method).samplers:
            figures = samplers.select_scores(run, kind)
            if floor is not None and "copies" in figures:
                judged += 1
                assert not samplers.has_excess_copies(figures, tuple(floor)), (run.spec, kind)
    assert judged >= 6


def test_every_shipped_run_of_digits_holds_the_samplers_of_its_method():
    for run in shipped_digits():
        for kind in methods.entry(run.spec.method).samplers:
            size = samplers.restore_sampler(run, kind, _sized(run)).sample(3, 0).shape[1]
            assert size == run.spec.param("n_components")


def _sized(run: Run):
    decoder = _Decoder()
    decoder.n_components = run.spec.param("n_components")
    return decoder
