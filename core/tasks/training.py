"""One training from its folder: loaded, fitted, measured and stored; and the pending scores of a stored run."""

from collections.abc import Callable, Container
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from core import methods
from core.errors import Diverged, HourglassError
from core.runs import layout, reader, specs, store
from core.tasks import progress_log, queue, requests, task_files, training_cost
from core.types import Dataset, Run, Spec

SUSPEND = "suspend"


class Interrupted(BaseException):
    """A training was interrupted by a command; like KeyboardInterrupt, no handler of errors catches it."""


def leave_task(folder: Path, state: str = "", commands: Container[str] = (), message: str = "") -> None:
    """End a task in a `state` if its last command is one of `commands`, or leave it to be resumed.

    It is removed if the command is "cancel", or without a state. `message` says why it failed.
    """
    with ExitStack() as stack:
        # Without the queue's lock if it can't be had.
        with suppress(HourglassError, OSError):
            stack.enter_context(task_files.hold_queue())
        command = queue.read_command(folder)
        if command == queue.CANCEL or not state:
            task_files.remove_task(folder)
        elif command in commands:
            task_files.end_task(folder, state, message)
        else:
            task_files.release_task(folder)


def train(
    spec: Spec,
    folder: Path,
    get_command: Callable[[], str],
    *,
    dataset: Dataset | None = None,
    on_row: Callable[[dict[str, Any]], None] = lambda row: None,
    say: Callable[[str], None] = lambda text: None,
    hand_over: bool = True,
) -> Run:
    """Train in `folder`, from its checkpoint if it has one, then measure and store the run and remove the folder.

    Only scores that take seconds are computed; unless `hand_over` is False, the next worker computes the others.
    `get_command` returns a command, see `core.tasks.queue.read_command`, or `SUSPEND`; it is called a few times a
    second. `dataset` is the data set, if it is loaded already; `on_row` is called with rows of the history, `say` with
    stages of the work and sentences for people.

    Raises `Interrupted` if it was paused, cancelled or suspended, once the checkpoint is written; HourglassError if it
    can't be trained, measured or stored.
    """
    with progress_log.ProgressLog(folder) as log:

        def begin_stage(text: str) -> None:
            if (command := get_command()) not in ("", queue.KEEP):
                raise Interrupted(command)
            if text != log.now["stage"]:
                log.write(stage=text)
                say(text)

        def show_download(done: int, total: int) -> None:
            begin_stage("Fetching the data" + (f", {done / total:.0%}" if total else ""))

        def must_stop(row: dict[str, Any]) -> bool:
            command = get_command()
            # There is no checkpoint before the first step; a method that maps the rows has none at all.
            has_part = row["step"] and not methods.entry(spec.method).maps_rows
            if command == queue.CANCEL or (command not in ("", queue.KEEP) and not has_part):
                raise Interrupted(command)
            return bool(command and has_part)

        def end_epoch(row: dict[str, Any]) -> bool:
            log.write_epoch(row)
            on_row(row)
            return must_stop(row)

        def tick(row: dict[str, Any]) -> bool:
            log.write_tick(row)
            return must_stop(row)

        def show_note(text: str) -> None:
            if get_command() == queue.KEEP:
                raise HourglassError(f"{text} Nothing is left that could be kept: resume this training, or cancel it.")
            log.write(note=text)
            say(text)

        log.write(stage="Starting")
        from core.experiments import fit

        params, of_data = dict(spec.params), dict(spec.dataset_params)
        if specs.make(spec.dataset, spec.method, params, spec.seed, of_data).key != spec.key:
            raise HourglassError(
                "The settings of this training were written by another version of the program: cancel it and request "
                "it again."
            )
        if dataset is None:
            begin_stage("Loading the data")
            dataset = fit.load_dataset(spec, show_download)
        callbacks = {"on_epoch": end_epoch, "on_tick": tick, "on_stage": begin_stage, "on_note": show_note}
        run = fit.fit_and_store(spec, dataset, checkpoint=folder, first_only=True, **callbacks)
    if run.pending and hand_over:
        # If the request can't be written, people can still make it.
        with suppress(OSError):
            queue.add_pending_scores(run.key)
    is_part = run.environment.get("stopped_early")
    leave_task(folder, queue.STOPPED if is_part else "", (queue.PAUSE, queue.KEEP))
    return run


def compute_pending_scores(
    key: str, get_command: Callable[[], str], on_stage: Callable[[str], None], dataset: Dataset | None = None
) -> None:
    """Compute the pending scores of a stored run, if there are any, and store them with it.

    `get_command` is called before each stage, which takes a few seconds, and `on_stage` with its name; `dataset` is the
    data set, if it is loaded already. Raises `Interrupted` if there was a command; the scores computed are stored.
    """
    from core.experiments import fit

    place = store.find_place(key)
    run = reader.read_run(place) if place else None
    if run is None or not run.pending:
        return

    def begin_stage(text: str) -> None:
        if command := get_command():
            raise Interrupted(command)
        on_stage(text)

    begin_stage("Loading the data")
    if dataset is None:
        dataset = fit.load_dataset(run.spec, lambda done, total: begin_stage("Fetching the data"))
    fit.finish(place, dataset, on_stage=begin_stage)


def train_in_foreground(
    spec: Spec, load: Callable[[], Dataset], on_row: Callable[[dict[str, Any]], None], say: Callable[[str], None]
) -> Run:
    """Train, measure and store a run in this process, outside the queue; resume where an earlier call was stopped.

    `load` returns the data set; `on_row` and `say` are called with rows of the history, and with sentences. Raises
    KeyboardInterrupt if it was interrupted here or by the app; the text says what is left.
    """
    layout.check_writable()
    training_cost.check_fits(spec)
    dataset = load()
    if store.keeps_older_run(spec, dataset.checksum):
        say(
            f"The stored run with these settings was trained on another copy of {spec.dataset}: it is kept, and counts "
            "again once that copy is back."
        )
    with requests.hold_training(spec, lambda: say("Another process is training this run: waiting for it.")) as folder:
        if folder is None:
            return reader.read_run(store.find_place(spec.key))
        options = {"dataset": dataset, "on_row": on_row, "say": say, "hand_over": False}
        try:
            run = train(spec, folder, lambda: queue.read_command(folder), **options)
        except Interrupted as interruption:
            leave_task(folder, queue.PAUSED, (queue.PAUSE,))
            raise KeyboardInterrupt(f"the app asked to {interruption} this training") from None
        except BaseException as problem:
            has_checkpoint = (folder / "checkpoint.safetensors").exists()
            # Resumed from just before it diverged, it would diverge again.
            if has_checkpoint and not isinstance(problem, Diverged):
                task_files.release_task(folder)
            else:
                requests.abandon_training(folder, requests.COMMAND_LINE)
            if has_checkpoint and isinstance(problem, KeyboardInterrupt):
                raise KeyboardInterrupt("the same command resumes from the last checkpoint") from None
            raise
    try:
        compute_pending_scores(run.key, lambda: "", say, dataset)
    except BaseException as problem:
        with suppress(OSError):
            queue.add_pending_scores(run.key)
        if isinstance(problem, KeyboardInterrupt):
            raise KeyboardInterrupt("the run is stored, and the app computes its other scores") from None
        raise
    return reader.read_run(store.find_place(run.key))
