"""Export a run as a zip file, and import one that anybody may have made."""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.datasets import checksums
from core.errors import BadInput, BrokenRun
from core.files import check_room, list_members, size_of
from core.runs import archive, layout, reader, selection, store
from core.types import Run

# Bytes of an exported run, packed or not.
LARGEST_PACKED = 200_000_000


def is_run(data: bytes) -> bool:
    """Whether a file looks like an exported run."""
    return any(name.endswith(f"/{layout.DOCUMENT}") for name in list_members(data))


@reader.read_again_if_replaced
def pack_run(place: Path) -> bytes:
    """Return a run as a zip file of its folder; raises BrokenRun if it is damaged, BadInput if it is too large."""
    files = reader.RunFiles(place)
    contents = {name: files.read(name) for name in (layout.DOCUMENT, *files.document["files"])}
    # The bytes that are packed are checked: the folder may be written again meanwhile.
    run, *_ = replace(files, contents=contents).parse_whole()
    if sum(map(len, contents.values())) > LARGEST_PACKED:
        raise BadInput(
            f"The run {run.key} is {size_of(place) / 1e6:,.0f} MB, and one larger than "
            f"{LARGEST_PACKED / 1e6:,.0f} MB can't be handed on: copy its folder instead."
        )
    return archive.pack(layout.folder_name(run.spec), contents)


def unpack_run(data: bytes, *, check_weights: bool = False) -> Run:
    """Store the run of a zip file among the user's own; return it with its views.

    Its ``environment["loaded"]`` is the time of this call, in UTC. Its scores were not measured here, so it is not
    verified; see `core.experiments.fit.remeasure`. `check_weights`: build the estimator too, which may import torch.
    Raises BadInput for a file that is damaged, no run that this program could fit and show, or already stored.
    """
    from core.runs import schema  # it brings pydantic

    name, contents = archive.unpack(data, LARGEST_PACKED)
    files = reader.RunFiles(Path(name), contents, zipped=True)
    try:
        place = _find_free_place(files.parse_run())
        run, weights, replay = files.parse_whole()
        schema.check(run, weights, replay)
        _check_rows(run)
        if check_weights:
            files.build_estimator()
    except BrokenRun as problem:
        raise BadInput(str(problem)) from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = replace(run, environment=run.environment | {"loaded": now}, notes=run.notes | {"is_verified": False})
    contents = store.files_of(run, weights, replay)
    check_room(sum(map(len, contents.values())))
    if not store.write_files(contents, place, replaces=False):
        raise _already_there(f"The run {run.key}")
    return replace(run, place=place)


def _find_free_place(run: Run) -> Path:
    """Return where to store a run; raise BadInput if one with its key is stored already."""
    stored, place = store.find_place(run.key), layout.place_of(layout.runs_folder(), run.spec)
    before = reader.find_summary(stored) if stored else None
    if before is not None and not checksums.is_of(run.environment, before.environment["data_checksum"]):
        raise _already_there(
            f"A run with the settings of {run.key}", f", trained on another copy of {run.spec.dataset},"
        )
    if stored is not None or os.path.isdir(place):
        raise _already_there(f"The run {run.key}")
    return place


def _already_there(what: str, details: str = ",") -> BadInput:
    return BadInput(f"{what} is already here{details} and loading a file replaces no run: delete that one first.")


def _check_rows(run: Run) -> None:
    """Raise BadInput if a run names the data of a run measured here, but has other rows: pages index them alike."""
    for other in store.list_runs()[0]:
        of_data = other.spec.dataset == run.spec.dataset and selection.have_same_rows([run, other])
        if not of_data or "loaded" in other.environment:
            continue
        with suppress(BrokenRun):
            if not _has_rows_of(run, reader.read_run(other.place)):
                rows = f"its rows are not those of the runs of {run.spec.dataset} that are here"
                raise BadInput(f"This run can't be loaded: {rows}, although it names the same data.")
            return


def _has_rows_of(run: Run, other: Run) -> bool:
    has_counts = all(run.environment[n] == other.environment[n] for n in ("n_train", "n_test"))
    has_names = run.notes.get("target_names") == other.notes.get("target_names")
    both = [n for n in ("shown_rows", "strip_rows", "labels") if n in run.views and n in other.views]
    return has_counts and has_names and all(np.array_equal(run.views[n], other.views[n]) for n in both)
