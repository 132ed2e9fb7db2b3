"""What tests of trainings share: trainings short and long, waiting for other processes, apps, and ending them all."""

from __future__ import annotations

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
from core.tasks import queue, requests, task_files, worker_process

ROOT = Path(__file__).parent.parent
# For a machine that is busy with other things; nothing here takes as long by itself.
PATIENCE = 60.0


def short(seed=0, **params):
    """A training of a moment."""
    small = {"n_components": 2, "width": 8, "layers": 1, "batch_size": 64, "epochs": 2}
    return specs.make("digits", "ae", {**small, **params}, seed)


def long(seed=0, **params):
    """A training that does not end by itself while a test looks at it; its epochs take about a second each."""
    return short(seed, **{"epochs": 1000, "batch_size": 2, **params})


def some_seconds(seed=0, **params):
    """A training with epochs long enough to be met in the middle of one, and few enough to wait for its end."""
    slow = {"epochs": 4, "batch_size": 2, "width": 32, "layers": 4, "augment": 1.0}
    return short(seed, **{**slow, **params})


@functools.cache
def undisturbed(spec):
    """The arrays of a training that nothing disturbs."""
    return fit.fit(spec, datasets.load("digits"))[1]


def assert_as_undisturbed(spec):
    stored, expected = reader.read_weights(store.find_place(spec.key)), undisturbed(spec)
    assert stored.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(stored[name], array), name


def awaited(condition, what, seconds=PATIENCE):
    """What `condition` returns, once it is true."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"{what} did not come true in {seconds} s:\n{log()}"
        time.sleep(0.02)
    return found


def log():
    """What the workers said."""
    return (
        (task_files.queue_folder() / "worker.log").read_text()
        if (task_files.queue_folder() / "worker.log").exists()
        else ""
    )


def state(spec):
    """How a training stands; "over" where there is none."""
    job = queue.find_task(spec.key)
    return job.state if job else "over"


def until(spec, *states):
    return awaited(lambda: state(spec) in states, f"{spec.key} being {' or '.join(states)}")


def until_stored(spec):
    until(spec, "over")
    assert requests.is_stored(spec.key), log()
    return reader.read_run(store.find_place(spec.key))


def until_within(spec, epoch):
    """Wait until a training is in the middle of an epoch, `epoch` or a later one."""

    def within():
        job = queue.find_task(spec.key)
        assert job is not None, f"it is over already:\n{log()}"
        assert job.state in (queue.QUEUED, queue.RUNNING), f"{job.state}: {job.message}"
        return job.state == queue.RUNNING and job.row.get("epoch", 0) > epoch and job.row["epoch"] % 1 and job

    return awaited(within, f"epoch {epoch} of {spec.key}")


def worker_pid():
    """Of the worker that trains; None where none does."""
    running = [job for job in queue.list_tasks() if job.state == queue.RUNNING and task_files.is_held("worker")]
    return files.read_json(running[0].folder / "now.json").get("pid") if running else None


def until_worker(other_than=None):
    return awaited(lambda: (pid := worker_pid()) not in (None, other_than) and pid, "a worker")


def until_no_worker(seconds=PATIENCE):
    awaited(lambda: not task_files.is_held("worker"), "the worker's leaving", seconds)


def end_workers():
    """End the workers of this runs folder, whoever started them."""
    if not task_files.queue_folder().exists():
        return
    worker_process.detach_app()
    # One that is on its way, or idle, sees this and goes.
    (task_files.queue_folder() / "suspend").touch()

    def gone():
        if pid := worker_pid():
            end(pid)
        return not task_files.is_held("worker")

    awaited(gone, "the workers' end")


def end(pid, number=signal.SIGKILL):
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class App:
    """Another process that does with the queue what an app does, line by line."""

    _CODE = """
import json, signal, sys
from core.tasks import queue, requests, worker_process
from core.errors import HourglassError
from core.types import Spec

# As Streamlit does: its server stops, and the process ends as it would by itself.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
worker_process.attach_app()
print("open", flush=True)
for line in sys.stdin:
    what, *given = json.loads(line)
    try:
        if what == "request":
            job = requests.request_training(Spec.from_json(given[0]), given[1])
            answer = job and job.state
        elif what == "ask":
            answer = requests.send_command(*given)
        else:
            answer = [[job.key, job.state, job.place] for job in queue.list_tasks()]
    except HourglassError as problem:
        answer = str(problem)
    print(json.dumps(answer), flush=True)
"""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", self._CODE],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        assert self.process.stdout.readline() == "open\n"
        return self

    def __exit__(self, *_):
        self.kill()

    def say(self, *what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def heard(self):
        return json.loads(self.process.stdout.readline())

    def do(self, *what):
        self.say(*what)
        return self.heard()

    def request(self, spec, person="somebody"):
        return self.do("request", spec.to_json(), person)

    def kill(self):
        self._end(self.process.kill)

    def terminate(self):
        self._end(self.process.terminate)

    def close(self):
        """Let it come to its end."""
        self._end(self.process.stdin.close)

    def _end(self, act):
        act()
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()
