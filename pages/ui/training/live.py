"""The panel beside the form: a training under way, or a stored run, with its curves and snapshots."""

from collections.abc import Callable, Sequence

import streamlit as st

from core import datasets, methods
from core.analysis import diagnostics
from core.metrics.definitions import DEFINITIONS
from core.runs import selection, specs, store
from core.tasks import queue
from core.tasks.queue import Task
from core.types import FITTING, ROW_NAMES, TABLES, Run, Spec
from pages.ui.shared import diagnoses, header, page_state, run_picker, stored_runs, task_progress, training_queue
from pages.ui.shared.number_format import interval, number, seconds
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import plain
from pages.ui.training import curves, snapshots
from pages.ui.training.setting_labels import METRICS, describe_settings

_LIVE_SECONDS = 1.0
_CONFIRM = "hourglass.confirm"
_EMPTY = (
    "Nothing is trained with these settings yet. Press Train: {} of the same test rows then appear here, epoch by "
    "epoch."
)
_SHOWN, _SHOWN_OF_TABLES = "loss curves, reconstructions, samples and a map", "loss curves and a map"
_REVEAL = """<script>
setTimeout(() => document.querySelector(".st-key-training-watch")?.scrollIntoView({ block: "start" }), 250);
</script>"""
_MOST_DIFFERENCES = 4
# label of a button -> command to the queue, and help
_COMMANDS = {
    "Pause": (queue.PAUSE, "Saves a checkpoint, and lets the next training in the queue start."),
    "Stop and keep": (queue.KEEP, "Ends the training now; the model is evaluated and stored."),
    "Cancel": (queue.CANCEL, "Ends the training and keeps nothing."),
    "Resume": (None, "Continues from the last checkpoint."),
    "Discard": (queue.CANCEL, "Deletes the checkpoint."),
}


def read_states() -> dict[str, str]:
    """The state of each training that is queued or running, by key."""
    return {task.key: task.state for task in training_queue.list_tasks() if training_queue.is_live(task)}


def draw(watched: Spec | None, form: Spec | None, stored: Sequence[Run], states: dict[str, str]) -> None:
    """Draw the panel and the queue, once a second while anything in them moves.

    The panel shows what a person chose, `watched`, else the running training, the run of the form, or one of its size.
    Once the states that `read_states` returned for the page change, the page is drawn again.
    """
    usual = form
    if form is not None and not stored_runs.is_complete(stored, form):
        alike = selection.select_runs(list(stored), form.dataset, form.method, form.param("n_components"))
        usual = alike[0].spec if alike else None
    # One fragment for all that moves, since each comes with a round trip of its own.
    st.fragment(_draw, run_every=_LIVE_SECONDS if states else None)(watched, form, usual, states)


def _draw(watched: Spec | None, form: Spec | None, usual: Spec | None, states: dict[str, str]) -> None:
    if read_states() != states or page_state.recall("run") != watched:
        st.rerun()
    tasks = training_queue.list_tasks()
    training_queue.show_kept_error()
    if st.session_state.pop(training_queue.REVEAL, False):
        with st.container(key="training-reveal"):
            st.html(_REVEAL, unsafe_allow_javascript=True)
    spec = watched or next((task.spec for task in tasks if task.state == queue.RUNNING), None) or usual
    if spec is None:
        is_table = form is not None and datasets.entry(form.dataset).kind == TABLES
        st.info(_EMPTY.format(_SHOWN_OF_TABLES if is_table else _SHOWN))
    else:
        with header.show_errors():
            _draw_shown(spec, next((task for task in tasks if task.key == spec.key), None), form)
    _draw_queue(tasks, spec)


def _draw_shown(spec: Spec, task: Task | None, form: Spec | None) -> None:
    st.header(plain(training_queue.label_training(spec)), anchor=False)
    if form is not None and form != spec:
        st.caption(plain(_describe_difference(spec, form)))
    if task is not None and task.state != queue.STOPPED:
        _draw_training(task)
    elif store.find_place(spec.key) is not None:
        _draw_run(*stored_runs.read_run(spec.key), task)
    else:
        st.markdown("**Not trained yet.** Its settings are in the link of this page.")
        st.button("Train it", on_click=training_queue.train, args=(spec,), key=page_state.key("train-linked"))


def _describe_difference(spec: Spec, form: Spec) -> str:
    if (spec.dataset, spec.method) == (form.dataset, form.method):
        settings = describe_settings(spec, specs.differing([spec, form]), _MOST_DIFFERENCES)
        return f"Settings that differ from the form: {settings}."
    settings = describe_settings(spec, most=_MOST_DIFFERENCES)
    return f"The run shown is not the one described by the form{': ' if settings else ''}{settings}."


def _draw_training(task: Task) -> None:
    _draw_status(task)
    _draw_buttons(task)
    rows = training_queue.read_history(task)
    is_running = task.state == queue.RUNNING
    if rows:
        curves.draw(task.spec, rows, (task.key, len(rows), rows[-1]["step"]), is_live=True)
    if finding := diagnostics.find_early_collapse(task.row):
        diagnoses.draw_findings("This training", [finding], task.key, task.spec.param("beta"))
    if is_running and methods.entry(task.spec.method).maps_rows and not any("loss" in row for row in rows):
        st.caption("The curve begins after iteration 250, when early exaggeration ends.")
    replay, stamp = training_queue.read_snapshots(task.folder)
    if replay is not None:
        snapshots.draw(replay, stamp)
    elif is_running and "max_seconds" in dict(task.spec.params):
        st.caption("Snapshots appear after the first epoch.")


def _draw_status(task: Task) -> None:
    if task.state == queue.QUEUED:
        ahead = "it is next" if task.place == 1 else f"{task.place - 1} before it"
        st.info(f"Waiting: number {task.place} in the queue, {ahead}. One training runs at a time.")
    elif task.state == queue.PAUSED:
        st.info("Paused. It resumes from its last checkpoint." if task.has_checkpoint else "Paused.")
    elif task.state == queue.FAILED:
        remedy = " Resume it, or stop and keep what was learned." if task.has_checkpoint else ""
        st.error(plain(task.message + remedy))
    elif task.command:
        st.info({queue.PAUSE: "Pausing …", queue.KEEP: f"Stopping: {task.stage} …"}.get(task.command, "Cancelling …"))
    else:
        st.progress(float(task.row.get("share", 0.0)), text=_describe_pace(task))
    if task.note:
        st.caption(plain(task.note))


def _describe_pace(task: Task) -> str:
    row, spec = task.row, task.spec
    if "rows_per_second" not in row or row["share"] >= 1 or task.stage != FITTING:
        return f"{task.stage} …"
    if n_steps := spec.param("max_iter"):
        parts = [f"Iteration {row['epoch']:,.0f} of {n_steps:,}"]
    else:
        parts = [f"Epoch {row['epoch']:.1f}" + ("" if spec.param("max_seconds") else f" of {spec.param('epochs')}")]
    # Before the first steps there is no pace.
    if row["rows_per_second"]:
        name = ROW_NAMES[datasets.entry(spec.dataset).kind]
        parts.append(f"{row['rows_per_second']:,.0f} {name}s per second")
    if task.seconds_left is not None:
        parts.append(f"about {max(1, round(task.seconds_left)):,} s left")
    return " · ".join(parts)


def _draw_buttons(task: Task) -> None:
    n_others = sum(person != training_queue.get_person() for person in task.people)
    key, label = st.session_state.get(_CONFIRM) or (None, "")
    if key == task.key:
        _confirm(task, label, n_others)
        return
    with st.container(horizontal=True, key="watch-buttons"):
        for label in _list_commands(task):
            st.button(label, page_state.key(f"do-{label}"), _COMMANDS[label][1], _send, (task, label, n_others))
    if n_others:
        st.caption(f"{_count_people(n_others, 'watches', 'watch')} this training too.")


def _list_commands(task: Task) -> list[str]:
    """Return the labels of the buttons that the task's state allows."""
    if task.state == queue.RUNNING:
        # A map of rows has no checkpoint to keep or to resume from.
        has_checkpoints = task.row and task.stage == FITTING and not methods.entry(task.spec.method).maps_rows
        allowed = ["Pause", "Stop and keep", "Cancel"] if has_checkpoints else ["Cancel"]
        return [] if task.command == queue.CANCEL else allowed
    if task.state == queue.QUEUED:
        return ["Pause", "Cancel"]
    return ["Resume", *(["Stop and keep"] if task.has_checkpoint else []), "Discard"]


def _send(task: Task, label: str, n_others: int) -> None:
    command = _COMMANDS[label][0]
    if command is None:
        training_queue.train(task.spec)
    elif n_others:
        st.session_state[_CONFIRM] = task.key, label
    else:
        training_queue.send_command(task.key, command)


def _confirm(task: Task, label: str, n_others: int) -> None:
    st.warning(f"{_count_people(n_others, 'has', 'have')} asked for this training too. {label} it for all?")
    send, leave = (training_queue.send_command, task.key, _COMMANDS[label][0]), (training_queue.withdraw, task.key)
    with st.container(horizontal=True, key="confirm-buttons"):
        for answer, args in ((f"{label} for all", send), ("Leave it to the others", leave), ("Back", ())):
            st.button(answer, page_state.key(f"confirm-{answer}"), on_click=_answer, args=args)


def _answer(act: Callable | None = None, *args: str) -> None:
    st.session_state.pop(_CONFIRM, None)
    if act:
        act(*args)


def _count_people(n_others: int, singular: str, plural: str) -> str:
    return f"One other person {singular}" if n_others == 1 else f"{n_others} other people {plural}"


def _draw_run(run: Run, stamp: Stamp, task: Task | None) -> None:
    if origin := stored_runs.describe_origin(run):
        st.warning(plain(f"This run was {origin}, whose rows differ from those on this machine."))
        if task is None:
            st.button("Train again", on_click=training_queue.train, args=(run.spec,), key=page_state.key("train-again"))
    st.markdown(plain(_describe_metrics(run)))
    if run.pending:
        st.caption(plain(task_progress.describe_measurement(run)))
    with st.container(horizontal=True, key="run-buttons", vertical_alignment="center"):
        if task is not None and task.has_checkpoint:
            st.button("Resume", on_click=training_queue.train, args=(task.spec,), help="Trains on to the last epoch.")
        if not methods.entry(run.spec.method).maps_rows:
            query, icon = run_picker.to_query([run.spec]), ":material/compare_arrows:"
            st.page_link("app.py", label="See it in Compare", icon=icon, query_params=query)
    diagnoses.draw("This run", run)
    if rows := [row for row in run.history if "epoch" in row]:
        curves.draw(run.spec, rows, stamp)
    replay = None
    with header.show_errors():
        replay, snapshot_stamp = training_queue.read_snapshots(store.find_place(run.key))
    if replay is not None:
        snapshots.draw(replay, snapshot_stamp, run.key)
        return
    snapshots.draw(snapshots.from_run(run), stamp)
    if run.history and not methods.entry(run.spec.method).maps_rows:
        st.caption("No snapshots were saved for this run. Train again with another seed to record them.")


def _describe_metrics(run: Run) -> str:
    of = run.metrics
    measured = [name for name in METRICS if name in of]
    values = [f"{DEFINITIONS[name].label} {number(of[name].value)} ({interval(of, name)})" for name in measured]
    parts = [run.environment["note"]] if run.environment.get("note") else []
    if run.environment.get("stopped_early") and run.history:
        parts.append(f"Stopped after epoch {run.history[-1]['epoch']:g}.")
    rows = "test rows of that copy" if stored_runs.describe_origin(run) else "test rows"
    return " ".join([*parts, f"Trained in {seconds(of['seconds'].value)}. On the {rows}: {'; '.join(values)}."])


def _draw_queue(tasks: Sequence[Task], shown: Spec | None) -> None:
    """Draw all tasks but the one that is shown above."""
    stored, _ = stored_runs.list_runs()
    others = [task for task in tasks if shown is None or task.key != shown.key]
    # A training that failed and was repeated since, for example on the command line, is not listed.
    others = [t for t in others if t.state != queue.FAILED or not stored_runs.is_complete(stored, t.spec)]
    if others:
        st.markdown("**Queue**")
    for task in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"queue-{task.key}"):
            key = page_state.key(f"watch-{task.key}")
            st.button("Show progress", key, on_click=_show_progress, args=(task.spec,))
            if task.state == queue.FAILED:
                args = (task.key, queue.CANCEL)
                st.button("Dismiss", page_state.key(f"off-{task.key}"), on_click=training_queue.send_command, args=args)
            st.markdown(plain(f"{training_queue.label_training(task.spec)}: {_describe_state(task)}"))


def _show_progress(spec: Spec) -> None:
    training_queue.watch(spec)
    st.session_state[training_queue.REVEAL] = True


def _describe_state(task: Task) -> str:
    state = task.state
    if state == queue.QUEUED:
        state = f"waiting, number {task.place}"
    elif state == queue.RUNNING:
        state = f"{task.stage.lower()}, {task.row.get('share', 0.0):.0%}"
    return f"{state}, yours" if training_queue.get_person() in task.people else state
