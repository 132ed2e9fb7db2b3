"""AE as generator: where an autoencoder's codes lie, what random codes decode to, and how that fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import datasets
from core.analysis import decoder_export, samplers
from core.analysis.codes import to_pixels
from core.figures.mechanisms import codes as figures
from core.mechanisms import random_codes
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.random_codes import MOST, NONE, SOME, Region
from core.runs import reader, selection
from core.types import IMAGES, Measurement, Run
from pages.ui.shared import cached, experiment, header, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.number_format import number
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import Markup

# With more than two latent dimensions the draws from N(0, I) fail more clearly.
_METHOD, _SIZES, _FIRST = "ae", (10, 2, 30), "mnist"
_N_SHOWN, _N_SAMPLES = 16, 2000
SAMPLERS = {samplers.NORMAL: "N(0, I)", samplers.GAUSSIAN: "Fitted Gaussian", samplers.MIXTURE: "Fitted mixture"}
_SCORES = ("frechet", "precision", "recall")
_FREQUENT = 0.05  # share of the samples
_IMAGES = {
    NONE: "Decoded images are like the data",
    SOME: "Some decoded images are unlike the data",
    MOST: "Most decoded images are unlike the data",
}
_DATA = {NONE: "the data are covered", SOME: "some of the data are left out", MOST: "most of the data are left out"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "An autoencoder is trained to reconstruct; nothing determines where its latent codes lie. Random codes can "
        "fail in two ways: they decode to images unlike the data, or they leave most of the data out.",
        r"{\hat{x} = \mathrm{dec}_\theta(z),}\quad\allowbreak{z \sim \mathcal{N}(0, I)}\quad\allowbreak"
        r"{\text{or }\ z \sim \mathcal{N}(\bar{z}, \Sigma_z)\ }\allowbreak"
        r"{\text{with } \bar{z}, \Sigma_z \text{ of the codes } z_n = \mathrm{enc}_\phi(x_n)}",
    )
    runs = _find_runs()
    if not runs:
        st.info("No AE with 2, 10 or 30 latent dimensions is stored: train one on the page Training.")
        return
    with experiment.make_controls_row():
        name = controls.choose_segment("data", "Data set", {name: datasets.entry(name).label for name in runs})
        size = int(controls.choose_segment("size", "Latent dimensions", {str(size): str(size) for size in runs[name]}))
        kind = controls.choose_segment("codes", "Sample codes from", SAMPLERS)
        seed = controls.choose_seed()
    drawn = sample_codes(runs[name][size].spec.key, kind, seed)
    draw_codes(drawn)
    experiment.state_finding(f"{drawn.failure} {drawn.shares}".strip())
    experiment.draw_checks("codes", drawn.checks)
    experiment.show_details(
        f"Stored AE with {size} latent dimensions on {datasets.entry(name).label}. The dashed ellipse is the 95% "
        f"region of a Gaussian fitted to the codes of the test rows{'' if size == 2 else ', projected'}. Shares are "
        f"estimated from {_N_SAMPLES:,} samples. Fréchet distance, precision (share of samples like test images) and "
        "recall (share of test images like samples) are measured in the features of a classifier (Kynkäänniemi et al. "
        "2019)."
    )


def draw_codes(drawn: "DrawnCodes", picture: Markup | None = None) -> None:
    """Draw the codes, as their chart or as a picture of it, and the decoded images beside them."""
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        if picture:
            st.html(picture)
        else:
            experiment.draw_charts(drawn.chart, key="codes")
    with right:
        title = f"Decoded images of sampled codes 1 to {_N_SHOWN}"
        experiment.draw_strips({title: drawn.decoded}, drawn.image_shape, 4, cell=84)


def _find_runs() -> dict[str, dict[int, Run]]:
    """Data set of images -> latent dimensions -> a stored AE."""
    stored = list(stored_runs.list_runs()[0])
    found: dict[str, dict[int, Run]] = {}
    for name in sorted(datasets.names(IMAGES), key=lambda name: name != _FIRST):
        for size in _SIZES:
            if runs := selection.select_runs(stored, name, _METHOD, size):
                found.setdefault(name, {})[size] = runs[0]
    return found


@dataclass(frozen=True)
class DrawnCodes:
    """Codes drawn for a stored autoencoder.

    A chart, decoded images (n, height * width) uint8, how they fail by their scores ("" without any), the shares of
    codes in the regions, and the checks.
    """

    chart: Any
    decoded: np.ndarray
    image_shape: tuple[int, int]
    failure: str
    shares: str
    checks: dict[str, tuple[Estimate | None, float | None]]


def sample_codes(key: str, kind: str, seed: int, *, names_classes: bool = True) -> DrawnCodes:
    """Sample codes for the stored autoencoder with this key; its chart may leave out the names of the classes."""
    run, stamp = stored_runs.read_run(key)
    return _sample_codes(stamp, kind, seed, names_classes, header.get_theme(), run)


@st.cache_resource(max_entries=32, show_spinner="Decoding random codes …")
def _sample_codes(stamp: Stamp, kind: str, seed: int, names_classes: bool, theme: str, _run: Run) -> DrawnCodes:
    codes = np.asarray(_run.views["codes"], np.float64)
    known = np.isfinite(codes).all(axis=1)
    codes, n_components = codes[known], codes.shape[1]
    labels = np.asarray(_run.views.get("labels", np.full(len(known), -1)))[known]
    names = tuple(_run.environment.get("target_names", ())) or tuple(str(k) for k in range(int(labels.max()) + 1))
    sampler = samplers.CodeSampler(samplers.NORMAL).fit(np.zeros((2, n_components)))
    if kind != samplers.NORMAL:
        sampler = samplers.restore_sampler(_run, kind, None)
    sampled = sampler.sample(_N_SAMPLES, seed)
    region = Region.fit(codes)
    view = random_codes.choose_view(region)
    projected = region.project(view)
    axes = ("z₁", "z₂") if n_components == 2 else ("direction 1 of the codes", "direction 2")
    outline = projected.compute_outline(projected.radius, 120)
    chart = figures.plot_sampled_codes(codes @ view, labels, names, sampled @ view, outline, _N_SHOWN, theme, axes)
    if not names_classes:
        chart.update_traces(showlegend=False, selector=lambda trace: trace.name in names)
    shares = _Shares.measure(region, codes, sampled)
    return DrawnCodes(
        chart,
        to_pixels(_decode(_run, stamp, sampled[:_N_SHOWN].astype(np.float32))),
        tuple(_run.environment["image_shape"]),
        _describe_scores(_run, kind, len(names)),
        shares.describe(SAMPLERS[kind]),
        shares.make_checks(kind, region),
    )


def _decode(run: Run, stamp: Stamp, Z: np.ndarray) -> np.ndarray:
    """Decode codes without torch where the decoder allows it."""
    decoder = decoder_export.export_stored_decoder(run, reader.read_weights(run.place))
    return cached.load_estimator(stamp).inverse_transform(Z) if decoder is None else decoder_export.decode(decoder, Z)


@dataclass(frozen=True)
class _Shares:
    """Of sampled codes and of N(0, I) in the 95% region of the data's codes, and of these in that of N(0, I)."""

    sampled: Estimate
    normal: Estimate
    normal_exact: float | None
    data: float

    @classmethod
    def measure(cls, region: Region, codes: np.ndarray, sampled: np.ndarray) -> "_Shares":
        d = len(region.mean)
        normal_codes = np.random.default_rng(0).standard_normal((_N_SAMPLES, d))
        return cls(
            random_codes.estimate_share_inside(region, sampled),
            random_codes.estimate_share_inside(region, normal_codes),
            region.compute_normal_share() if d == 2 else None,
            float(Region.of_normal(d).contains(codes).mean()),
        )

    def describe(self, name: str) -> str:
        return (
            f"{self.sampled.value:.1%} of the codes from {name.replace('Fitted', 'the fitted')} lie in the 95% region "
            f"of the data's codes; {1 - self.data:.0%} of the data's codes lie outside that of N(0, I)."
        )

    def make_checks(self, kind: str, region: Region) -> dict[str, tuple[Estimate | None, float | None]]:
        exact = None if self.normal_exact is None else 100 * self.normal_exact
        checks = {"N(0, I) in the region of the data's codes (%)": (experiment.to_percent(self.normal), exact)}
        if kind != samplers.NORMAL:
            checks["Sampled codes in that region (%)"] = experiment.to_percent(self.sampled), None
        checks["Data's codes in the region of N(0, I) (%)"] = None, 100 * self.data
        kl = region.compute_kl(Region.of_normal(len(region.mean)))
        return {**checks, "KL(Gaussian of the data's codes ‖ N(0, I)), nats": (None, kl)}


def _describe_scores(run: Run, kind: str, n_classes: int) -> str:
    """How images of this sampler's codes fail, from the stored scores; "" without them."""
    scores = samplers.select_scores(run, kind)
    floors = [run.metrics.get(f"{name}_floor") for name in _SCORES]
    if not all(name in scores for name in _SCORES) or None in floors:
        return ""
    frechet, precision, recall = ((scores[name], floor) for name, floor in zip(_SCORES, floors, strict=True))
    images, rest = _IMAGES[_grade(precision)], _DATA[_grade(recall)]
    return (
        f"{images} (precision {_format_score(precision)}), and {rest} (recall {_format_score(recall)}); Fréchet "
        f"distance {_format_score(frechet)}.{_describe_classes(run, kind, n_classes)}"
    )


def _grade(pair: tuple[Measurement, Measurement]) -> str:
    return random_codes.grade_failure(pair[0].value, pair[1].value)


def _format_score(pair: tuple[Measurement, Measurement]) -> str:
    score, floor = pair
    return f"{number(score.value)}, test images {number(floor.value)}"


def _describe_classes(run: Run, kind: str, n_classes: int) -> str:
    """How many classes are not rare among the samples, as a classifier names them; "" where none has."""
    shares: Mapping[str, float] = samplers.select_class_shares(run, kind)
    frequent = sum(share >= _FREQUENT for share in shares.values())
    text = f" A classifier finds {frequent} of {n_classes} classes, each in at least {_FREQUENT:.0%} of the images."
    return text if shares else ""
