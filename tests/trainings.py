"""Trainings short and long, waiting for other processes, and apps, for the tests of trainings."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from core import datasets, files
from core.experiments import fit
from core.runs import reader, specs, store
from core.tasks import queue, requests, task_files

ROOT = Path(__file__).parent.parent
# Seconds to wait on a busy machine.
PATIENCE = 60.0


def short(seed=0, **params):
    """A training of a moment."""
    small = {"n_components": 2, "width": 8, "layers": 1, "batch_size": 64, "epochs": 2}
    return specs.make("digits", "ae", small | params, seed)


def long(seed=0):
    """A training that does not end by itself while a test looks at it; its epochs take about a second each."""
    return short(seed, epochs=1000, batch_size=2)


def some_seconds():
    """A training with epochs long enough to be met in the middle of one, and few enough to wait for its end."""
    return short(epochs=3, batch_size=2, width=32, layers=4, augment=1.0)


def request(spec, person="somebody", **options):
    """Request a training; return it, None if its run is stored."""
    requests.request_trainings([spec], person, **options)
    return queue.find_task(spec.key)


@functools.cache
def undisturbed(spec):
    """The arrays of a training that nothing disturbs."""
    return fit.fit(spec, datasets.load("digits"), first_only=True)[1]


def assert_as_undisturbed(spec):
    np.testing.assert_equal(reader.read_weights(store.find_place(spec.key)), undisturbed(spec))


def awaited(condition, what, seconds=PATIENCE):
    """Return the value of `condition` once it is true."""
    ends = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, f"{what} did not come true in {seconds} s:\n{log()}"
        time.sleep(0.02)
    return value


def log():
    """The output of the workers."""
    return task_files.read_text(task_files.queue_folder() / "worker.log")


def state(spec):
    """The state of a training; "over" if there is none."""
    task = queue.find_task(spec.key)
    return task.state if task else "over"


def until(spec, *states):
    return awaited(lambda: state(spec) in states, f"{spec.key} being {' or '.join(states)}")


def until_stored(spec):
    until(spec, "over")
    assert requests.is_stored(spec.key), log()
    return reader.read_run(store.find_place(spec.key))


def until_within(spec, epoch):
    """Wait until a training is in the middle of an epoch, `epoch` or a later one."""

    def within():
        task = queue.find_task(spec.key)
        is_waited_for = task is not None and task.state in (queue.QUEUED, queue.RUNNING)
        assert is_waited_for, f"{task}\n{log()}"
        return task.state == queue.RUNNING and task.row.get("epoch", 0) > epoch and task.row["epoch"] % 1 and task

    return awaited(within, f"epoch {epoch} of {spec.key}")


def worker_pid():
    """The process of the worker that trains; None if none does."""
    running = [task for task in queue.list_tasks() if task.state == queue.RUNNING and task_files.is_held("worker")]
    return files.read_json(running[0].folder / "now.json").get("pid") if running else None


def end_workers():
    """End the workers of this runs folder, whoever started them."""
    if task_files.queue_folder().exists():
        # One that starts, or is idle, reads this and ends.
        (task_files.queue_folder() / "suspend").touch()
        awaited(lambda: end(worker_pid()) or not task_files.is_held("worker"), "the workers' end")


def end(pid):
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class App:
    """Another process that does with the queue what an app does, line by line."""

    _CODE = """
import json, signal, sys
from core.tasks import queue, requests, worker_process
from core.types import Spec

# As Streamlit does: its server stops, and the process ends as it would by itself.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
worker_process.attach_app()
print("open", flush=True)
for line in sys.stdin:
    for spec in json.loads(line):
        requests.request_trainings([Spec.from_json(spec)], sys.argv[1])
    print(json.dumps([[task.key, task.state, task.place] for task in queue.list_tasks()]), flush=True)
"""

    def __init__(self, person="somebody"):
        self.command = [sys.executable, "-c", self._CODE, person]

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(self.command, cwd=ROOT, **pipes)
        assert self.process.stdout.readline() == "open\n"
        return self

    def __exit__(self, *_):
        self.end()

    def request(self, *trainings):
        """Request trainings; the keys, states and places of all."""
        self.process.stdin.write(json.dumps([spec.to_json() for spec in trainings]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self, number=signal.SIGKILL):
        with self.process:  # waits, and closes the pipes
            self.process.send_signal(number)
