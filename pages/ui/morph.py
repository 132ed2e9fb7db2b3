"""Sliders for every number of a code: the image morphs as they move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import cache, portable, rebuilding, store
from core.figures.latent import Axis, Gaussian, Scene, State
from core.maps import Rows
from core.types import Run
from pages.ui import choices, latent, loaded
from pages.ui.compare import View
from pages.ui.numbers import number
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, html, plain

_NAMES = {"code": "code", "pad": "pad", "frozen": "frozen"}
_STARTS = 20
_MEASURED_AT = 20
_OF_DIGITS = ("mnist", "mnist-sample", "digits")
_VARIANCE, _EFFECT = "variance", "effect"


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    """Choose a method of this code size, and change its code number by number."""
    latent.forget(["z", "behind"])
    lines = sorted((line for line in view.lines if line.run), key=lambda line: latent.ORDER.index(line.method))
    problems += [line.problem for line in view.lines if line.problem]
    if not lines:
        st.info(plain(f"Not trained yet: no method has a {view.size}-D code of {view.entry.label}."))
        latent.to_training("vae", view.entry, view.size)
        return
    named = {line.method: line.label for line in lines}
    method = choices.segments("morph", "Method", named, problems)
    line = next(each for each in lines if each.method == method)
    rows = latent.rows_of(view.entry, line, problems)
    scene = _scene(line.stamp, rows.key if rows is not None else "", line.run, rows)
    st.markdown(_explanation(line, scene), help=_help(scene))
    latent.show(line.stamp, scene, _first(scene), problems, _NAMES)
    st.html(Markup(f'<div class="hg-note">{html(_note(line, scene, rows))}</div>'))
    latent.send_pictures(rows)


@st.cache_resource(max_entries=16, show_spinner="Measuring what each number does …")
def _scene(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows | None) -> Scene:
    coded = latent.coded(stamp, _run, _rows)
    size = store.code_size(_run)
    gaussian = _gaussian(_run.spec.method, coded.codes, size)
    amounts, is_active, measure = _activity(stamp, _run.spec.method, coded.codes, gaussian)
    return Scene(
        id=cache.key("sliders", *stamp, rows_key),
        kind="sliders",
        decoder=latent.decoder_id(stamp),
        shape=tuple(_run.environment["image_shape"]),
        axes=_axes(coded.codes, gaussian, amounts, is_active),
        codes=coded.codes,
        labels=coded.labels,
        numbers=coded.numbers,
        names=coded.names,
        gaussian=gaussian,
        pictures=rows_key if coded.pictures else "",
        starts=rebuilding.one_of_each(coded.labels, _STARTS, 0) if coded.pictures and len(coded.codes) else (),
        measure=measure,
        by_server=latent.decoder(stamp) is None,
        order=np.argsort(-amounts, kind="stable"),
        lacking=_lacking(_run.spec.method) if not len(coded.codes) else "",
    )


def _lacking(method: str) -> str:
    return "No encoder, so no test rows here: drag." if method == "gan" else "No test rows here: drag."


def _gaussian(method: str, codes: np.ndarray, size: int) -> Gaussian | None:
    if method in latent.WITH_PRIOR:
        return Gaussian(True, np.zeros(size), np.eye(size))
    return Gaussian(False, *portable.gaussian(codes)) if len(codes) > 1 else None


def _activity(
    stamp: Stamp, method: str, codes: np.ndarray, gaussian: Gaussian | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """How much each number of the code does, whether that is anything, and what the amount is."""
    if method == "vae" and len(codes):
        variances = codes.var(axis=0, dtype=np.float64)
        return variances, portable.is_active(variances), _VARIANCE
    size = codes.shape[1]
    if gaussian is None:
        return np.ones(size), np.ones(size, bool), ""
    decoder = latent.decoder(stamp)
    decode = decoder.decode if decoder else loaded.estimator(stamp).inverse_transform
    at = codes[:_MEASURED_AT] if len(codes) else np.random.default_rng(0).standard_normal((_MEASURED_AT, size))
    effects = portable.effect(decode, at, np.sqrt(np.diag(gaussian.covariance)))
    return effects, portable.has_effect(effects), _EFFECT


def _axes(codes: np.ndarray, gaussian: Gaussian | None, amounts: np.ndarray, is_active: np.ndarray) -> tuple[Axis, ...]:
    size = codes.shape[1]
    span = np.full(size, portable.PRIOR_SPAN)
    low, middle, high = portable.middle_and_ends(codes, is_median=False) if len(codes) else (-span, 0 * span, span)
    if gaussian is not None and gaussian.is_prior:
        low, high = np.minimum(low, -span), np.maximum(high, span)
        # A VAE's middle code is the mean of its codes; a GAN has been asked for draws alone.
        middle = 0 * span if len(codes) else portable.typical_code(size)
    return tuple(
        Axis(float(low[k]), float(high[k]), float(middle[k]), number(float(amounts[k])), bool(is_active[k]))
        for k in range(size)
    )


def _first(scene: Scene) -> State:
    pad = tuple(int(k) for k in scene.order[:2]) if len(scene.axes) > 1 else ()
    return State(tuple(axis.start for axis in scene.axes), pad)


def _explanation(line: Line, scene: Scene) -> str:
    size = len(scene.axes)
    if size == 1:
        return "Move the slider: one number says all that the decoder knows of an image."
    if size == 2:
        return "A code of two numbers fits on the pad. Choose a larger one above, and each further number has a slider."
    what = "which digit" if line.run.spec.dataset in _OF_DIGITS else "which kind"
    return (
        "Each number of the code has a slider, the most active first; two of them share the pad. Does one change one "
        f"thing alone (slant, width, {what}), or everything at once?"
    )


def _help(scene: Scene) -> str:
    if scene.measure == _VARIANCE:
        return (
            f"The variance of a number's posterior means over the test rows. Above {portable.ACTIVE_UNIT} it is an "
            "active unit (Burda et al. 2016); what varies less is ignored by the decoder: the VAE has left it at its "
            "prior."
        )
    return (
        "The effect of a number: a quarter of the squared difference between the pictures one standard deviation to "
        f"either side of a code, summed over pixels, the mean over {_MEASURED_AT} codes. Of a linear decoder it is the "
        f"variance that the number gives the pictures. Below {portable.ACTIVE_EFFECT:.0%} of the largest it counts as "
        "inactive."
    )


def _note(line: Line, scene: Scene, rows: Rows | None) -> str:
    parts = []
    n = len(scene.codes)
    if scene.gaussian is not None and scene.gaussian.is_prior:
        codes = " and of the codes of the test rows" if n else ""
        parts.append(
            f"Randomise draws from the prior N(0, I). A slider spans the middle 98 % of the prior{codes}; what is "
            "drawn beyond stands at its end."
        )
    elif scene.gaussian is not None:
        parts.append(
            f"Without a prior, Randomise draws from one Gaussian fitted to the codes of {n:,} test rows, given "
            "what is frozen. A slider spans the middle 98 % of these codes; what is drawn beyond stands at its "
            "end."
        )
    idle = sum(not axis.is_active for axis in scene.axes)
    if scene.measure:
        parts.append(
            f"{len(scene.axes) - idle} of {len(scene.axes)} numbers are active"
            + (f" (variance over {n:,} test rows above {portable.ACTIVE_UNIT})." if scene.measure == _VARIANCE else ".")
        )
    if line.method == "gan":
        parts.append(
            f"Its code has {len(scene.axes)} numbers, whatever size is chosen above; a GAN has no encoder, so it can't "
            "start from a real row."
        )
    if scene.by_server:
        parts.append(latent.BY_SERVER)
    return " ".join(parts)
