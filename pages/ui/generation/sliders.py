"""The section Sliders: a slider for each latent dimension, and the image that the decoder makes of the code."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from core import datasets, methods
from core.analysis import decoder_export, error_comparison
from core.analysis.rows import Rows
from core.frontend.latent import Axis, Gaussian, Scene
from core.runs import selection
from core.types import Run
from pages.ui.generation import latent_component
from pages.ui.shared import cached
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp

_N_STARTS = 20
_PRIOR_SPAN = 2.326  # 98% of the samples from N(0, 1) lie between minus and plus this
_N_EFFECT = 20  # codes that an effect is averaged over
_VARIANCE, _EFFECT = "variance", "effect"


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    problems += [line.problem for line in view.lines if line.problem]
    lines = {line.method: line for line in view.trained if line.entry.decodes}
    line = latent_component.choose_line("morph", lines, view.entry, view.size, problems)
    if line is None:
        return
    rows = latent_component.find_rows(view.entry, line, problems)
    scene = make_scene(line.stamp, rows.key if rows is not None else "", line.run, rows)
    st.markdown(_explain(line, scene), help=describe_measure(scene))
    latent_component.draw(line.stamp, scene, rows, describe(line, scene), problems)


@st.cache_resource(max_entries=16, show_spinner="Measuring the effect of each dimension …")
def make_scene(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows | None) -> Scene:
    scene = latent_component.make_scene("sliders", stamp, rows_key, _run, _rows)
    codes, size, method = scene.codes, selection.code_size(_run), methods.entry(_run.spec.method)
    gaussian = None
    if method.has_prior:
        gaussian = Gaussian(True, np.zeros(size), np.eye(size))
    elif len(codes) > 1:
        all_codes = np.asarray(codes, np.float64)
        gaussian = Gaussian(False, all_codes.mean(axis=0), np.atleast_2d(np.cov(all_codes, rowvar=False)))
    amounts, is_active, measure = _measure_activity(stamp, method, codes, gaussian)
    starts = error_comparison.draw_by_class(scene.labels, _N_STARTS, 0) if scene.pictures and len(codes) else ()
    return replace(
        scene,
        axes=_axes(codes, gaussian, amounts, is_active),
        gaussian=gaussian,
        starts=starts,
        measure=measure,
        order=np.argsort(-amounts, kind="stable"),
        lacking="" if len(codes) else f"No {'' if method.encodes else 'encoder, so no '}test rows here: drag.",
    )


def _measure_activity(
    stamp: Stamp, method: methods.Entry, codes: np.ndarray, gaussian: Gaussian | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the activity of each dimension, whether it is active, and what the activity is measured by."""
    if method.has_posterior and len(codes):
        variances = codes.var(axis=0, dtype=np.float64)
        return variances, variances > decoder_export.ACTIVE_UNIT, _VARIANCE
    size = codes.shape[1]
    if gaussian is None:
        return np.ones(size), np.ones(size, bool), ""
    decoder = latent_component.read_decoder(stamp)
    decode = (
        cached.load_estimator(stamp).inverse_transform if decoder is None else partial(decoder_export.decode, decoder)
    )
    at = codes[:_N_EFFECT] if len(codes) else np.random.default_rng(0).standard_normal((_N_EFFECT, size))
    effects = decoder_export.compute_effects(decode, at, np.sqrt(np.diag(gaussian.covariance)))
    return effects, effects > decoder_export.ACTIVE_EFFECT * effects.max(initial=0), _EFFECT


def _axes(codes: np.ndarray, gaussian: Gaussian | None, amounts: np.ndarray, is_active: np.ndarray) -> tuple[Axis, ...]:
    size = codes.shape[1]
    span = np.full(size, _PRIOR_SPAN)
    low, middle, high = -span, 0 * span, span
    if len(codes):
        low, middle, high = decoder_export.find_code_range(codes, is_median=False)
    if gaussian is not None and gaussian.is_prior:
        low, high = np.minimum(low, -span), np.maximum(high, span)
        # A VAE's middle code is the mean of its codes; a GAN was trained on draws alone, and near 0 it may fail.
        middle = 0 * span if len(codes) else np.random.default_rng(0).standard_normal(size).round(2)
    return tuple(
        Axis(float(low[k]), float(high[k]), float(middle[k]), number(float(amounts[k])), bool(is_active[k]))
        for k in range(size)
    )


def _explain(line: Line, scene: Scene) -> str:
    size = len(scene.axes)
    if size == 1:
        return "Move the slider to change the only latent dimension."
    if size == 2:
        return "Drag on the pad to change both latent dimensions. With more dimensions, each has a slider."
    which = "which digit" if datasets.entry(line.run.spec.dataset).is_handwritten else "class"
    return (
        "Each latent dimension has a slider, the most active first; two share the pad. Does a dimension change one "
        f"property (slant, width, {which}), or several at once?"
    )


def describe_measure(scene: Scene) -> str:
    """Say how the activity of a dimension is measured."""
    if scene.measure == _VARIANCE:
        return (
            "Activity: variance of the posterior means over the test rows. A dimension above "
            f"{decoder_export.ACTIVE_UNIT} is an active unit (Burda et al. 2016); the decoder ignores the others, "
            "which the VAE left at the prior."
        )
    rows, cells = ("images", "pixels") if scene.shape else ("prepared rows", "columns")
    return (
        f"Activity: a quarter of the squared difference between the {rows} one standard deviation to either side of a "
        f"code, summed over {cells}, mean over {_N_EFFECT} codes; for a linear decoder, the variance explained by the "
        f"dimension. Inactive: below {decoder_export.ACTIVE_EFFECT:.0%} of the largest."
    )


def describe(line: Line, scene: Scene) -> list[str]:
    n, n_active, size = len(scene.codes), sum(axis.is_active for axis in scene.axes), len(scene.axes)
    parts = []
    if scene.gaussian is not None:
        source = f"a Gaussian fitted to the codes of {n:,} test rows"
        source += ", given the frozen dimensions" if scene.shape else ""
        spanned = "these codes"
        if scene.gaussian.is_prior:
            source, spanned = "the prior N(0, I)", "the prior" + (" and of the codes of the test rows" if n else "")
        parts.append(f"Randomise draws from {source}. A slider spans the middle 98% of {spanned}.")
    if scene.measure:
        rule = f" (variance over {n:,} test rows above {decoder_export.ACTIVE_UNIT})"
        rule = rule if scene.measure == _VARIANCE else ""
        parts.append(f"{n_active} of {size} dimensions are active{rule}.")
    if line.entry.has_own_code_size:
        parts.append(f"{size}-D, independent of the choice above; no encoder, so it cannot start from a test row.")
    return parts
