"""GAN inversion: codes for given images, found by a regressor and gradient steps, since a GAN has no encoder."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from core import cache
from pages.ui.shared import page_state
from pages.ui.shared.cached import load_estimator
from pages.ui.shared.number_format import number, seconds
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.task_progress import Task, follow_tasks

_WANTED = "hourglass.invert"
_SHOWN_STEPS = 5  # between two movements of the progress bar


class Inversion(NamedTuple):
    """What the generator makes (n, n_features) of codes (n, n_components), and how the codes were found."""

    images: np.ndarray
    codes: np.ndarray
    note: str


def read_inversion(line: Line, X: np.ndarray) -> Inversion | None:
    """Return the stored inversion of images X (n, n_features) in [0, 1]; None where it is not computed yet."""
    if (arrays := cache.find_arrays(_cache_name(line, X))) is None:
        return None
    cost, steps = arrays["cost"]
    note = (
        f"{arrays['codes'].shape[1]}-D, independent of the choice above; GAN inversion: regressor + {int(steps)} "
        f"gradient steps per image, {seconds(float(cost))} in total; regressor alone: error "
        f"{number(arrays['regressed'].mean())}"
    )
    return Inversion(arrays["images"], arrays["codes"], note)


def _cache_name(line: Line, X: np.ndarray) -> str:
    return f"inverted-{cache.make_key(line.stamp, X)}"


def is_wanted() -> bool:
    """Whether the button for an inversion was just pressed; true only once."""
    return bool(st.session_state.pop(_WANTED, False))


def invert(line: Line, X: np.ndarray) -> None:
    """Invert a generator that has a regressor, with a progress bar; `read_inversion` returns the result afterwards."""
    inverter = _load_inverter(line.stamp, line.run.key)
    what = f"Inverting the generator for {len(X)} images"
    bar = st.progress(0.0, f"{what} …")
    # Any click ends the computation, and nothing of it is stored.
    cancel = st.empty()
    cancel.button("Cancel", key=page_state.key("cancel-inversion"))

    def on_step(row: dict) -> None:
        if row["step"] % _SHOWN_STEPS == 0:
            bar.progress(row["share"], f"{what}: mean squared error {number(row['error'])} …")

    inversion = inverter.invert(X, on_step=on_step)
    arrays = {"codes": inversion.codes, "images": inverter.inverse_transform(inversion.codes)}
    cost = np.array([inversion.seconds, inversion.steps])
    cache.save_arrays(_cache_name(line, X), arrays | {"regressed": inversion.regressed_errors, "cost": cost})
    bar.empty()
    cancel.empty()


def offer(line: Line) -> None:
    """Draw the button that starts an inversion; without a regressor, the button that fits one, or its progress."""
    if _load_inverter(line.stamp, line.run.key) is not None:
        about = "A regressor predicts each image's code; gradient steps then lower the squared error, in a few seconds."
        label, icon = f"Invert the {line.label} for these images", ":material/settings_backup_restore:"
        want = lambda: st.session_state.update({_WANTED: True})
        st.button(label, page_state.key("invert"), on_click=want, icon=icon, help=about)
        return
    from core.tasks import inverter_training

    task = Task(
        name="regressor",
        title=f"Fitting the regressor of the {line.label}",
        label=f"Fit a regressor for {line.label} inversion",
        work=inverter_training.WORK,
        key=inverter_training.regressor_key(load_estimator(line.stamp)),
        has_result=lambda _: _load_inverter(line.stamp, line.run.key) is not None,
        start=partial(inverter_training.start_fit, Path(line.stamp[0]), load_estimator(line.stamp)),
        help="A network that predicts the code of an image. It is fitted once, in about a minute, and then stored.",
    )
    follow_tasks([task])


# None is not cached: the regressor may be fitted meanwhile.
@st.cache_resource(max_entries=4, show_spinner=False, validate=lambda inverter: inverter is not None)
def _load_inverter(stamp: Stamp, run_key: str):
    from core.tasks import inverter_training

    return inverter_training.load_inverter(run_key, load_estimator(stamp))
