"""AE as generator: where an autoencoder's codes lie, and what random codes decode to."""

from typing import Any

import numpy as np
import streamlit as st

from core import datasets
from core.analysis import samplers
from core.analysis.codes import to_pixels
from core.figures.mechanisms import codes as figures
from core.mechanisms import random_codes
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.random_codes import Region
from core.runs import selection
from core.types import IMAGES, Run
from pages.ui.shared import cached, experiment, header, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.stored_runs import Stamp

_METHOD, _SIZE, _FIRST = "ae", 2, "mnist"
_N_SHOWN, _N_SAMPLES = 16, 2000
_FITTED = {samplers.GAUSSIAN: "Fitted Gaussian", samplers.MIXTURE: "Fitted mixture"}
_SAMPLERS = {samplers.NORMAL: "N(0, I)", **_FITTED}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "An autoencoder is trained to reconstruct; nothing determines where its latent codes lie. Random codes from "
        "N(0, I) miss the region of the data's codes, while codes from a distribution fitted to them decode to "
        "data-like images.",
        r"{\hat{x} = \mathrm{dec}_\theta(z),}\quad\allowbreak{z \sim \mathcal{N}(0, I)}\quad\allowbreak"
        r"{\text{or }\ z \sim \mathcal{N}(\bar{z}, \Sigma_z)\ }\allowbreak"
        r"{\text{with } \bar{z}, \Sigma_z \text{ of the codes } z_n = \mathrm{enc}_\phi(x_n)}",
    )
    runs = _find_runs()
    if not runs:
        st.info("No AE with 2 latent dimensions is stored: train one on the page Training.")
        return
    with experiment.make_controls_row():
        name = controls.choose_segment("data", "Data set", {name: datasets.entry(name).label for name in runs})
        kind = controls.choose_segment("codes", "Sample codes from", _SAMPLERS)
        seed = controls.choose_seed()
    run, stamp = stored_runs.read_run(runs[name].spec.key)
    with st.spinner("Decoding random codes …"):
        chart, decoded, finding, checks = _sample_codes(stamp, kind, seed, header.get_theme(), run)
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        experiment.draw_charts(chart, key="codes")
    with right:
        title, shape = f"Decoded images of sampled codes 1 to {_N_SHOWN}", tuple(run.environment["image_shape"])
        experiment.draw_strips({title: decoded}, shape, 4, cell=84)
    experiment.state_finding(finding)
    experiment.draw_checks("codes", checks)
    experiment.show_details(
        f"Stored AE with 2 latent dimensions on {datasets.entry(name).label}. The dashed ellipse is the 95% region of "
        f"a Gaussian fitted to the codes of the test rows. Shares are estimated from {_N_SAMPLES:,} samples. The page "
        "Generation has larger codes."
    )


def _find_runs() -> dict[str, Run]:
    """Data set of images -> a stored AE with two latent dimensions."""
    stored = list(stored_runs.list_runs()[0])
    names = sorted(datasets.names(IMAGES), key=lambda name: name != _FIRST)
    candidates = {name: selection.select_runs(stored, name, _METHOD, _SIZE) for name in names}
    return {name: runs[0] for name, runs in candidates.items() if runs}


@st.cache_resource(max_entries=32, show_spinner=False)
def _sample_codes(stamp: Stamp, kind: str, seed: int, theme: str, _run: Run) -> tuple[Any, np.ndarray, str, dict]:
    """The chart, decoded images, the finding, and the checks."""
    codes = np.asarray(_run.views["map"], np.float64)
    known = np.isfinite(codes).all(axis=1)
    labels = np.asarray(_run.views.get("labels", np.full(len(codes), -1)))
    names = tuple(_run.environment.get("target_names", ())) or tuple(str(k) for k in range(int(labels.max()) + 1))
    estimator, codes = cached.load_estimator(stamp), codes[known]
    sampled = samplers.restore_sampler(_run, kind, estimator).sample(_N_SAMPLES, seed)
    decoded = to_pixels(estimator.inverse_transform(sampled[:_N_SHOWN].astype(np.float32)))
    region, normal = Region.fit(codes), Region(np.zeros(2), np.eye(2))
    normal_codes = np.random.default_rng(0).standard_normal((_N_SAMPLES, 2))
    outline, exact = region.compute_outline(random_codes.RADIUS, 120), region.compute_normal_share()
    chart = figures.plot_sampled_codes(codes, labels[known], names, sampled, outline, _N_SHOWN, theme)

    def estimate_percent(drawn: np.ndarray) -> Estimate:
        return experiment.to_percent(random_codes.estimate_share_inside(region, drawn))

    checks = {"N(0, I) in the region of the data's codes (%)": (estimate_percent(normal_codes), 100 * exact)}
    if kind != samplers.NORMAL:
        checks["Sampled codes in that region (%)"] = estimate_percent(sampled), None
    checks["Area of that region (N(0, I): 1)"] = None, float(np.sqrt(np.linalg.det(region.covariance)))
    checks["KL(Gaussian of the data's codes ‖ N(0, I)), nats"] = None, region.compute_kl(normal)
    share_of_data = float(normal.contains(codes).mean())
    finding = (
        f"{exact:.1%} of N(0, I) lies in the 95% region of the data's codes, and {share_of_data:.1%} of the data's "
        "codes lie in the 95% region of N(0, I)."
    )
    return chart, decoded, finding, checks
