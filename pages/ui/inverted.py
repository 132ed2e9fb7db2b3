"""Reconstructions by a GAN, which has no encoder: the code is looked for, image by image, and that takes a while."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from core import cache
from core.types import HourglassError
from pages.ui import choices
from pages.ui.loaded import estimator
from pages.ui.numbers import number, seconds
from pages.ui.runs import Line, Stamp
from pages.ui.text import plain

_WANTED = "hourglass.invert"
_SHOWN_STEPS = 5  # between two movements of the progress bar


class Inverted(NamedTuple):
    """What a generator makes nearest to some images.

    Attributes
    ----------
    images : (n, n_features) floats; codes : (n, n_components) floats.
    note : how the codes were found and what that cost, in words.
    """

    images: np.ndarray
    codes: np.ndarray
    note: str


def rebuilt(line: Line, X: np.ndarray) -> Inverted | None:
    """What the generator of `line` makes nearest to some images; None while that has not been computed.

    Parameters
    ----------
    X : (n, n_features) float32 in [0, 1]
    """
    return _kept(_name(line, X))


def is_wanted() -> bool:
    """Whether a person has just asked for the codes; says so once."""
    return bool(st.session_state.pop(_WANTED, False))


def invert(line: Line, X: np.ndarray) -> None:
    """Look for the codes of some images, with a progress bar; `rebuilt` has them afterwards.

    Raises
    ------
    HourglassError
        If the run can't be read, or has no regressor yet.
    """
    inverter = _inverter(line.stamp, line.run.key)
    if inverter is None:
        raise HourglassError(f"{line.label} can't be inverted yet: its regressor is to be fitted first.")
    bar = st.progress(0.0, f"Looking for the codes of {len(X)} images …")
    # Whatever is clicked ends it, and nothing is kept of it.
    cancel = st.empty()
    cancel.button("Cancel", key=choices.key("cancel-inversion"))

    def on_step(row: dict) -> bool:
        if row["step"] % _SHOWN_STEPS == 0:
            bar.progress(
                min(row["share"], 1.0),
                f"Looking for the codes of {len(X)} images: mean squared error {number(row['error'])} so far …",
            )
        return False

    found = inverter.invert(X, on_step=on_step)
    cache.keep(
        _name(line, X),
        {
            "codes": found.codes,
            "images": inverter.inverse_transform(found.codes),
            "regressed": found.regressed_errors,
            "cost": np.array([found.seconds, found.steps]),
        },
    )
    bar.empty()
    cancel.empty()


def offer(line: Line) -> None:
    """A button that has the codes looked for; where the GAN has no regressor yet, one that has it fitted."""
    if _inverter(line.stamp, line.run.key) is not None:
        st.button(
            f"Invert the {line.label} for these images",
            key=choices.key("invert"),
            on_click=_want,
            icon=":material/settings_backup_restore:",
            help="A regressor guesses each image's code, then gradient steps lower the squared error of what the "
            "generator makes of it. It takes a second or a few.",
        )
        return
    _regressor(line)


def _want() -> None:
    st.session_state[_WANTED] = True


def _regressor(line: Line) -> None:
    from core import inversion

    state = inversion.state(_key(line.stamp))
    if state.share is not None:
        _watch(line)
        return
    if state.problem:
        st.caption(plain(state.problem))
    if st.button(
        f"Fit a regressor, so that the {line.label} can be inverted",
        key=choices.key("fit-regressor"),
        icon=":material/model_training:",
        help="A network that guesses the code of an image, trained beside the app in about a minute and then kept.",
    ):
        inversion.start(Path(line.stamp[0]), estimator(line.stamp))
        st.rerun()


@st.fragment(run_every=1.0)
def _watch(line: Line) -> None:
    from core import inversion

    key = _key(line.stamp)
    state = inversion.state(key)
    if state.share is None:
        st.rerun()
    waits = ", waiting for another one" if state.waits else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(state.share, f"Fitting the regressor of the {line.label}{waits} …")
        st.button(
            "Stop",
            key=choices.key("stop-regressor"),
            on_click=inversion.stop,
            args=(_key(line.stamp),),
            width="content",
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def _key(stamp: Stamp) -> str:
    from core import inversion

    return inversion.key(estimator(stamp))


# Asked again while there is none: it may have been fitted meanwhile.
@st.cache_resource(max_entries=4, show_spinner=False, validate=lambda found: found is not None)
def _inverter(stamp: Stamp, run_key: str):
    from core import inversion

    return inversion.load(run_key, estimator(stamp))


def _name(line: Line, X: np.ndarray) -> str:
    return f"inverted-{cache.key(line.stamp, X)}"


@st.cache_resource(max_entries=64, show_spinner=False, validate=lambda found: found is not None)
def _kept(name: str) -> Inverted | None:
    arrays = cache.find(name)
    if arrays is None:
        return None
    cost, steps = arrays["cost"]
    note = (
        f"its code has {arrays['codes'].shape[1]} numbers, whatever is chosen above; by inversion: regressor + "
        f"{int(steps)} gradient steps an image, {seconds(float(cost))} in all; by the regressor alone "
        f"{number(float(arrays['regressed'].mean()))}"
    )
    return Inverted(arrays["images"], arrays["codes"], note)
