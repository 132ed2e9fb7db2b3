"""What belongs to an own data set: the trainings of it, its runs, the room it takes, and its removal."""

import shutil
import time
from collections.abc import Container, Sequence
from contextlib import suppress
from pathlib import Path

from core import datasets, files, methods
from core.datasets.own import catalogue, store
from core.errors import HourglassError
from core.runs import layout, presets, specs
from core.tasks import queue, requests
from core.types import TABLES, Spec

# A running training obeys a command within about a second.
_ENDING_SECONDS = 5.0
_FEW_ROWS = 30


def list_trainings(name: str, sizes: Sequence[int], chosen: Container[str]) -> list[Spec]:
    """The quick trainings of the chosen methods at these latent dimensions, and of maps, which have their own."""
    wanted = [spec for size in sizes for spec in presets.list_specs(name, size, presets.SECONDS)]
    n_rows = sum(datasets.entry(name).rows)
    # t-SNE refuses as many neighbours as there are rows.
    few = {"perplexity": max(5.0, (n_rows - 1) // 3)} if n_rows <= _FEW_ROWS else {}
    wanted += [specs.make(name, method, few) for method in methods.names(TABLES) if methods.entry(method).maps_rows]
    # A GAN has its own number of dimensions.
    return list(dict.fromkeys(spec for spec in wanted if spec.method in chosen))


def list_run_places(name: str) -> list[Path]:
    """The folders of all own runs on a data set, also those on other copies of it."""
    *own, _ = layout.folders()
    return [place for folder in own if (folder / name).is_dir() for place in layout.iterate_places(folder / name)]


def measure_room(name: str) -> tuple[int, int]:
    """Bytes of the file of a data set, and of its runs."""
    return files.size_of(catalogue.folder() / name), sum(map(files.size_of, list_run_places(name)))


def remove(name: str) -> None:
    """Delete an own data set, all its runs and results, and cancel its trainings."""
    _end_trainings(name)
    store.remove(name)
    *own, _ = layout.folders()
    for folder in own:
        shutil.rmtree(folder / name, ignore_errors=True)
    # See `core.semi_supervised.results`.
    (layout.runs_folder() / ".labelled" / f"{name}.jsonl").unlink(missing_ok=True)


def forget_owner(name: str, person: str) -> None:
    """Delete a data set that this person brought to a workshop, unless it is shared or others brought it too."""
    is_private = person != catalogue.HOST and not catalogue.read_about(name).get("is_shared", True)
    if is_private and not store.leave(name, person):
        remove(name)


def forget_workshop() -> None:
    """Delete all that people brought to a workshop and did not share, and its runs."""
    for name, about in catalogue.list_all().items():
        for person in about["owners"]:
            forget_owner(name, person)


def _end_trainings(name: str) -> None:
    deadline = time.monotonic() + _ENDING_SECONDS
    while live := [task for task in queue.list_tasks() if task.spec.dataset == name]:
        for task in reversed(live):
            with suppress(HourglassError):  # it has ended meanwhile
                requests.send_command(task.key, queue.CANCEL)
        if time.monotonic() > deadline or not any(task.state == queue.RUNNING for task in live):
            break
        time.sleep(0.1)
