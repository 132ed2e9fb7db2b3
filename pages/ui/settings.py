"""What to train: data set, method and its declared parameters, as widgets made from the declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from core import datasets, jobs, methods, recipes, specs
from core.types import BadInput, Param, Run, Spec
from pages.ui import choices, links, runs, trainings
from pages.ui.text import plain, shortened

_SIZE, _SEED = "n_components", "seed"
_SEEDS = Param(_SEED, 0, (0, 2**31 - 1), "Everything random follows from it: the same seed gives the same weights.")
_LINK = "spec"
_PRESET_HELP = (
    "seconds and a minute end by the clock, the learning rate falling over that time; best is how the shipped run was "
    "made, or one like it, and takes minutes."
)


def choose(stored: Sequence[Run], problems: list[str]) -> Spec | None:
    """Draw the choices; the Spec they make, or None where one of them is not allowed, which is said beside it."""
    linked = _linked(problems)
    entry = datasets.entry(_dataset(stored, linked, problems))
    method = _method(entry, linked, problems)
    declared = _declared(entry, method)
    memory = f"settings/{entry.name}/{method}"
    if linked is not None and (linked.dataset, linked.method) == (entry.name, method):
        choices.keep(memory, {**dict(linked.params), **dict(linked.dataset_params), _SEED: linked.seed}, text=None)
    settings = choices.remembered(memory) or _default(entry.name, method, declared)
    if (size := choices.asked("size")) is not None and not _is_fixed(_param(declared, _SIZE)):
        with suppress(BadInput):
            settings = {**settings, _SIZE: runs.code_size(size)}
    choices.keep(memory, settings, text=None)
    refused = _size(declared, settings, memory)
    _presets(entry.name, method, declared, settings, memory)
    refused += _parameters(declared, settings, memory)
    if refused:
        return None
    spec = _spec(entry, method, settings, problems)
    usual = _spec(entry, method, _default(entry.name, method, declared), [])
    choices.keep(_LINK, spec, text=None if spec is None or spec == usual else links.encode(spec))
    return spec


def chosen() -> tuple[str, str]:
    """Data set and method of the present choices."""
    return choices.remembered("data"), choices.remembered("method")


def button(stored: Sequence[Run], spec: Spec | None) -> None:
    """The button that asks for the training, and what pressing it would do."""
    job = trainings.find(spec.key) if spec else None
    if trainings.is_live(job):
        st.button("Watch", type="primary", on_click=trainings.train, args=(spec,), width="stretch")
        mine = trainings.person() in job.askers
        where = "under way" if job.state == jobs.RUNNING else "in the queue"
        st.caption(f"It is {where}." if mine else f"This very training is {where}: you would share it.")
    elif spec is not None and job is None and runs.is_whole(stored, spec):
        st.button("Look back", type="primary", on_click=trainings.watch, args=(spec,), width="stretch")
        st.caption("A run with these settings is stored. Another seed makes another run.")
    else:
        st.button(
            "Train", type="primary", on_click=trainings.train, args=(spec,), disabled=spec is None, width="stretch"
        )
        st.caption(_promise(spec) if spec else "One of the settings is not allowed, see above.")


def _promise(spec: Spec) -> str:
    seconds = spec.param("max_seconds")
    if seconds:
        return f"Trains for {seconds:g} seconds, then measures the run on the test rows."
    steps = spec.param("max_iter")
    if steps:
        return f"Maps the rows in up to {steps:,} iterations, then measures the map of the test rows among them."
    epochs = spec.param("epochs")
    if epochs is None:
        return "Solved at once, then measured on the test rows."
    return f"Trains for {epochs} {'epoch' if epochs == 1 else 'epochs'}, then measures the run on the test rows."


def _linked(problems: list[str]) -> Spec | None:
    token = choices.asked(_LINK)
    if token is None:
        return None
    try:
        return links.checked(links.decode(token))
    except BadInput as problem:
        problems.append(str(problem))
        return None


def _dataset(stored: Sequence[Run], linked: Spec | None, problems: list[str]) -> str:
    names = runs.dataset_names(stored)

    def named(name: str) -> str:
        return datasets.entry(name).label + ("" if datasets.available(name) else " (fetched first)")

    refused: list[str] = []
    widget = choices.seed("data", names, runs.default_dataset(names, stored), refused)
    if linked is not None:
        st.session_state[widget] = linked.dataset
    chosen = st.selectbox("Data set", names, format_func=named, key=widget, on_change=trainings.unwatch)
    if refused:
        problems.append(f"The link asks for the data set “{shortened(choices.asked('data'))}”, which is not known.")
    choices.keep("data", chosen)
    return chosen


def _method(entry: datasets.Entry, linked: Spec | None, problems: list[str]) -> str:
    names = methods.names(entry.kind)
    refused: list[str] = []
    widget = choices.seed("method", names, "vae", refused)
    if linked is not None and linked.method in names:
        st.session_state[widget] = linked.method
    chosen = st.segmented_control(
        "Method", names, format_func=methods.label, key=widget, required=True, on_change=trainings.unwatch
    )
    if refused:
        problems.append(f"The link asks for the method “{shortened(choices.asked('method'))}”. {refused[0]}")
    choices.keep("method", chosen)
    st.caption(plain(methods.get(chosen).summary))
    return chosen


def _declared(entry: datasets.Entry, method: str) -> tuple[Param, ...]:
    """Every parameter there is to choose: the method's, the seed where it matters, and the data set's."""
    of_method = methods.get(method).params_of(entry.kind)
    return (*of_method, *([_SEEDS] if len(of_method) > 1 else []), *entry.params)


def _default(dataset: str, method: str, declared: tuple[Param, ...]) -> dict[str, Any]:
    settings = {p.name: p.default for p in declared} | {_SEED: 0}
    return settings | recipes.presets(dataset, method, settings[_SIZE]).get(recipes.SECONDS, {})


def _size(declared: tuple[Param, ...], settings: dict[str, Any], memory: str) -> list[str]:
    param = _param(declared, _SIZE)
    return [] if _is_fixed(param) else _widget(param, settings, memory, label="Code size")


def _param(declared: tuple[Param, ...], name: str) -> Param:
    return next(p for p in declared if p.name == name)


def _is_fixed(param: Param) -> bool:
    """Whether there is nothing to choose."""
    return param.bounds[0] == param.bounds[-1]


def _presets(dataset: str, method: str, declared: tuple[Param, ...], settings: dict[str, Any], memory: str) -> None:
    size = settings[_SIZE] if isinstance(settings[_SIZE], int) else 0
    found = recipes.presets(dataset, method, size)
    if not found:
        if not methods.get(method).loss_unit:
            st.caption(f"{methods.label(method)} is solved at once, so there is nothing to preset.")
        return
    if trainings.workshop():
        found.pop(recipes.BEST)
    usual = {p.name: p.default for p in declared}
    kept = (_SIZE, _SEED)

    def preset(name: str) -> dict[str, Any]:
        return {**usual, **found[name], **{name: settings[name] for name in kept if name in settings}}

    widget = choices.key(f"{memory}/preset")
    st.session_state[widget] = next((name for name in found if preset(name) == settings), None)

    def take() -> None:
        if (name := st.session_state[widget]) in found:
            choices.keep(memory, preset(name), text=None)

    st.segmented_control("Preset", list(found), key=widget, help=_PRESET_HELP, on_change=take)
    if st.session_state[widget] is None:
        st.caption("Own settings, under Parameters.")


def _parameters(declared: tuple[Param, ...], settings: dict[str, Any], memory: str) -> list[str]:
    """Widgets of all other parameters, drawn where they are opened; problems of all."""
    others = [p for p in declared if p.name != _SIZE]
    if not others:
        return []
    drawer = st.expander("Parameters", key=choices.key(f"{memory}/parameters"), on_change="rerun")
    if not drawer.open:
        refused = [problem for p in others if (problem := _refusal(p, settings.get(p.name)))]
        for problem in refused:
            st.error(plain(problem))
        return refused
    with drawer, st.container(key="parameters"):
        return [problem for p in others for problem in _widget(p, settings, memory)]


def _widget(param: Param, settings: dict[str, Any], memory: str, label: str | None = None) -> list[str]:
    """One parameter's widget; the sentence why its value is not allowed, which is also written below it."""
    widget = choices.key(f"{memory}/{param.name}")
    value = settings.get(param.name, param.default)
    label = label or param.name.replace("_", " ").capitalize()
    about = plain(f"{param.help} It is {param.allowed}; the default is {param.default}.")

    def take() -> None:
        given = st.session_state[widget]
        with suppress(BadInput):
            given = param.check(given)
        choices.keep(memory, {**settings, param.name: given}, text=None)

    if isinstance(param.default, str):
        st.session_state[widget] = value
        st.selectbox(label, param.bounds, key=widget, help=about, on_change=take)
    else:
        # As text: a number field drops what is none without a word, and nobody learns what is allowed.
        st.session_state[widget] = str(value)
        st.text_input(label, key=widget, help=about, on_change=take)
    refused = _refusal(param, value)
    if refused:
        st.error(plain(refused))
    return [refused] if refused else []


def _refusal(param: Param, value: Any) -> str | None:
    if value == "":
        return f"{param.name} is empty: it is {param.allowed}."
    try:
        param.check(value)
    except BadInput as problem:
        return str(problem)
    return None


def _spec(entry: datasets.Entry, method: str, settings: Mapping[str, Any], problems: list[str]) -> Spec | None:
    declared = (entry.params, methods.get(method).params_of(entry.kind))
    of_data, of_method = ({p.name for p in params} for params in declared)
    try:
        return specs.make(
            entry.name,
            method,
            {name: value for name, value in settings.items() if name in of_method},
            settings[_SEED],
            {name: value for name, value in settings.items() if name in of_data},
        )
    except BadInput as problem:
        problems.append(str(problem))
        return None
