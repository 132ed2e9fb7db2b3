"""The form of the page Training: data set, method and its declared parameters, and the button that trains."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import streamlit as st

from core import config, datasets, methods
from core.errors import BadInput
from core.runs import presets, specs
from core.tasks import queue, training_cost
from core.types import TABLES, Param, Run, Spec
from pages.ui.shared import page_state, permalinks, run_picker, stored_runs, training_offers, training_queue
from pages.ui.shared.text import plain, shorten
from pages.ui.training.setting_labels import format_value, label_setting

_SIZE, _SEED, _LINK, _PRESET = "n_components", "seed", "spec", "preset"
_SEED_PARAM = Param(_SEED, 0, (0, 2**31 - 1), "Seed of everything random: the same seed gives the same weights.")
_MEASURED_SECONDS = 1.0
_PRESET_HELP = (
    "All networks of a preset have the same shape, number of epochs and batch size, so their runs can be compared. "
    "Reference is how the shipped runs were made."
)
# Key of the expander with the parameters, which a click on Train closes.
_DRAWER = "hourglass.parameters"


@dataclass(frozen=True)
class _Form:
    """The choices of one data set and method; values are as typed where they are not allowed."""

    entry: datasets.Entry
    method: str

    @property
    def memory(self) -> str:
        return f"settings/{self.entry.name}/{self.method}"

    @cached_property
    def params(self) -> dict[str, Param]:
        """Every parameter to choose: the method's, the seed where it matters, and the data set's."""
        of_method = [self._limit(param) for param in methods.get(self.method).params_of(self.entry.kind)]
        seed = [_SEED_PARAM] if len(of_method) > 1 else []
        return {param.name: param for param in (*of_method, *seed, *self.entry.params)}

    def _limit(self, param: Param) -> Param:
        """The parameter, or latent dimensions up to the columns of a table that a linear method can have."""
        most = sum(self.entry.blocks)
        if param.name != _SIZE or self.entry.kind != TABLES or not methods.entry(self.method).has_spectrum:
            return param
        return replace(param, default=min(param.default, most), bounds=(param.bounds[0], min(param.bounds[-1], most)))

    @cached_property
    def defaults(self) -> dict[str, Any]:
        declared = {name: param.default for name, param in self.params.items()} | {_SEED: 0}
        return declared | self.presets(declared[_SIZE]).get(presets.SECONDS, {})

    @property
    def values(self) -> dict[str, Any]:
        return page_state.recall(self.memory) or self.defaults

    @property
    def has_size(self) -> bool:
        """Whether the latent dimensions can be chosen."""
        return self.params[_SIZE].bounds[0] != self.params[_SIZE].bounds[-1]

    def keep(self, values: dict[str, Any]) -> None:
        page_state.keep(self.memory, values, text=None)

    def presets(self, size: Any) -> dict[str, dict[str, Any]]:
        return presets.list_presets(self.entry.name, self.method, size if isinstance(size, int) else 0)

    def complete(self, settings: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """The settings of a preset with all other parameters, and size and seed of `values`."""
        usual = {name: param.default for name, param in self.params.items()}
        return {**usual, **settings, **{name: values[name] for name in (_SIZE, _SEED) if name in values}}

    def find_preset(self, values: dict[str, Any]) -> str | None:
        """The preset that the values are of."""
        offered = self.presets(values[_SIZE])
        return next((name for name, settings in offered.items() if self.complete(settings, values) == values), None)

    def resize(self, values: dict[str, Any], size: Any) -> dict[str, Any]:
        """The values with other latent dimensions, of the same preset if they are of one."""
        resized, preset = {**values, _SIZE: size}, self.find_preset(values)
        return resized if preset is None else self.complete(self.presets(size)[preset], resized)

    def make_spec(self, values: dict[str, Any], problems: list[str]) -> Spec | None:
        of_data = {param.name: values[param.name] for param in self.entry.params if param.name in values}
        others = self.params.keys() - of_data.keys() - {_SEED}
        of_method = {name: value for name, value in values.items() if name in others}
        with page_state.append_error(problems):
            return specs.make(self.entry.name, self.method, of_method, values[_SEED], of_data)
        return None


def choose(stored: Sequence[Run], problems: list[str]) -> Spec | None:
    """Draw the form; return the Spec it describes, or None, after an error message, where a value is not allowed."""
    linked = None
    if (token := page_state.read_link(_LINK)) is not None:
        with page_state.append_error(problems):
            linked = permalinks.check_spec(permalinks.decode(token))
    if linked is not None:
        for name, value in (("data", linked.dataset), ("method", linked.method)):
            st.session_state[page_state.key(name)] = value
            page_state.keep(name, value)  # so that the link's own does not count
    entry = datasets.entry(_choose_dataset(stored, problems))
    form = _Form(entry, _choose_method(entry, problems))
    values = form.values
    if linked is not None and (linked.dataset, linked.method) == (entry.name, form.method):
        values = specs.settings(linked)
    if (size := page_state.read_link("size")) is not None and form.has_size:
        with suppress(BadInput):
            values = form.resize(values, stored_runs.parse_code_size(size))
            # Out of the address, which would otherwise undo every later choice.
            page_state.keep("size", values[_SIZE], text=None)
    if (preset := page_state.read_link(_PRESET)) is not None:
        if preset in (offered := form.presets(values[_SIZE])):
            values = form.complete(offered[preset], values)
        else:
            problems.append(f"The link asks for the preset {shorten(preset)}: choose one of those below.")
    form.keep(values)
    is_allowed = not form.has_size or _draw_param(form, form.params[_SIZE])
    _choose_preset(form)
    if not _draw_params(form) or not is_allowed:
        return None
    preset = form.find_preset(form.values)
    page_state.keep(_PRESET, preset, text=preset if preset != presets.SECONDS else None)
    spec = form.make_spec(form.values, problems)
    is_usual = spec is None or spec == form.make_spec(form.defaults, [])
    page_state.keep(_LINK, spec, text=None if is_usual else permalinks.encode(spec))
    return spec


def _choose_dataset(stored: Sequence[Run], problems: list[str]) -> str:
    names = stored_runs.list_datasets(stored)

    def label(name: str) -> str:
        absent = " (training downloads it)" if datasets.can_fetch(name) else " (not on this machine)"
        return datasets.entry(name).label + ("" if datasets.is_available(name) else absent)

    look = {"format_func": label, "on_change": training_queue.unwatch}
    default = stored_runs.choose_default_dataset(names, stored)
    return run_picker.draw_datasets(names, default, problems, **look)


def _choose_method(entry: datasets.Entry, problems: list[str]) -> str:
    look = {"format_func": methods.label, "required": True, "on_change": training_queue.unwatch}
    names, default = methods.names(entry.kind), methods.DEFAULT
    chosen = page_state.choose_with(st.segmented_control, "method", "Method", names, default, problems, **look)
    st.caption(plain(methods.get(chosen).summary))
    return chosen


def _choose_preset(form: _Form) -> None:
    values = form.values
    offered = form.presets(values[_SIZE])
    if not offered:
        if not methods.get(form.method).loss_unit:
            st.caption(f"{methods.label(form.method)} is fitted in closed form, so it has no presets.")
        return
    names = presets.SHORT if config.is_workshop() else list(offered)
    by_preset = {name: form.complete(offered[name], values) for name in names}
    widget = page_state.key(f"{form.memory}/preset")
    st.session_state[widget] = next((name for name in names if by_preset[name] == values), None)

    def take() -> None:
        if (name := st.session_state[widget]) in by_preset:
            form.keep(by_preset[name])

    st.segmented_control("Preset", names, format_func=str.capitalize, key=widget, help=_PRESET_HELP, on_change=take)
    if st.session_state[widget] is None:
        st.caption("Custom settings, see Parameters.")


def _draw_params(form: _Form) -> bool:
    """Draw the widgets of all other parameters in an expander; return whether all values are allowed."""
    others = [param for name, param in form.params.items() if name != _SIZE]
    if not others:
        return True
    st.session_state[_DRAWER] = page_state.key(f"{form.memory}/parameters")
    drawer = st.expander("Parameters", key=st.session_state[_DRAWER], on_change="rerun")
    with drawer.container(key="parameters") if drawer.open else nullcontext():
        allowed = [_draw_param(form, param, drawer.open) for param in others]
    return all(allowed)


def _draw_param(form: _Form, param: Param, is_open: bool = True) -> bool:
    """Draw one parameter's widget, if its drawer is open; return whether its value is allowed, else draw why not."""
    value, label = form.values.get(param.name, param.default), label_setting(param.name)
    if is_open:
        _draw_widget(form, param, value, label)
    with suppress(BadInput):
        param.check(value)
        return True
    given = shorten(value) if value != "" else "empty"
    st.error(plain(f"{label} is {given}: it must be {param.allowed}."))
    return False


def _draw_widget(form: _Form, param: Param, value: Any, label: str) -> None:
    widget, is_text = page_state.key(f"{form.memory}/{param.name}"), isinstance(param.default, str)
    bounds, default = f"{param.allowed.capitalize()}. ", param.default
    if is_text:
        bounds, default = "", format_value(param.default)
    about = plain(f"{param.help} {bounds}Default: {default}.")

    def take() -> None:
        given = st.session_state[widget]
        with suppress(BadInput):
            given = param.check(given)
        form.keep(form.resize(form.values, given) if param.name == _SIZE else {**form.values, param.name: given})
        # The panel beside the form shows the run of the form.
        training_queue.unwatch()

    if is_text:
        st.session_state[widget] = value
        st.selectbox(label, param.bounds, format_func=format_value, key=widget, help=about, on_change=take)
    else:
        # A number field would drop what is no number without a message.
        st.session_state[widget] = str(value)
        st.text_input(label, key=widget, help=about, on_change=take)


def draw_button(stored: Sequence[Run], spec: Spec | None) -> None:
    """Draw the button that trains, shows the progress or replays, and what pressing it does."""
    task = training_queue.find_task(spec.key) if spec else None
    is_live = training_queue.is_live(task)
    is_stored = task is None and spec is not None and stored_runs.is_complete(stored, spec)
    label = "Show progress" if is_live else "Replay" if is_stored else "Train"
    act = training_queue.watch if is_stored else training_queue.train
    refused = "" if spec else "One of the settings is not allowed, see above."
    if label == "Train" and spec:
        refused = _find_refusal(spec)
    st.button(label, type="primary", disabled=bool(refused), on_click=_start, args=(act, spec), width="stretch")
    if refused:
        st.caption(plain(refused))
    elif is_live:
        state = "Training now" if task.state == queue.RUNNING else "In the queue"
        is_own = training_queue.get_person() in task.people
        st.caption(f"{state}." if is_own else f"{state}: another person asked for it, and you would share it.")
    elif is_stored:
        st.caption("A run with these settings is stored. Another seed makes another run.")
    else:
        is_open = training_offers.is_predictable(spec) and not spec.param("max_seconds")
        is_measuring = is_open and training_offers.measure_speed()
        st.fragment(_describe_training, run_every=_MEASURED_SECONDS if is_measuring else None)(spec, is_measuring)
        for run in stored:
            if run.spec == spec and (origin := stored_runs.describe_origin(run)):
                st.caption(plain(f"The stored run with these settings was {origin}. It is kept."))


def _find_refusal(spec: Spec) -> str:
    """Why this machine can't train `spec`; "" if it can."""
    try:
        training_cost.check_fits(spec)
    except BadInput as problem:
        return str(problem)
    return ""


def _describe_training(spec: Spec, is_measuring: bool) -> None:
    """Say what pressing Train does, with the predicted time; `is_measuring`: while this machine's speed is measured."""
    seconds = training_offers.predict_seconds(spec)
    if is_measuring and seconds is not None:
        st.rerun()
    takes = f", {training_offers.format_seconds(seconds)}" if seconds else ", time unknown" if is_measuring else ""
    what = "Fitted in closed form"
    if spec.param("max_seconds"):
        what = f"Trains for {spec.param('max_seconds'):g} s"
    elif steps := spec.param("max_iter"):
        what = f"Maps the rows in up to {steps:,} iterations"
    elif epochs := spec.param("epochs"):
        what = f"Trains for {epochs:,} {'epoch' if epochs == 1 else 'epochs'}"
    entry = datasets.entry(spec.dataset)
    if entry.kind == TABLES:
        megabytes = training_cost.predict_megabytes(spec, entry)
        takes = f"{takes.removeprefix(', ')} and" if takes else "about"
        st.caption(plain(f"{what}, with evaluation on the test rows: {takes} {megabytes:,.0f} MB of memory."))
    else:
        st.caption(plain(f"{what}{takes}; then evaluated on the test rows."))


def _start(act: Callable[[Spec], None], spec: Spec) -> None:
    """Train or replay a run: close the long form, and bring the panel beside it into view."""
    act(spec)
    if drawer := st.session_state.get(_DRAWER):
        st.session_state[drawer] = False
    st.session_state[training_queue.REVEAL] = True
