"""The progress of a training, written to its folder while it runs."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from core import files
from core.errors import HourglassError
from core.tasks import queue

HEARTBEAT_SECONDS = 1.0
# The history keeps at most this many rows; of a longer training every second, fourth, ... epoch.
MOST_ROWS = 2000
_MOST_WINDOWS = 120
_POSITION = ("epoch", "step", "seconds", "share")
_NOT_MEANS = {*_POSITION, "within", "rows_per_second", "learning_rate"}


def explain_unwritable(folder: Path, error: OSError) -> HourglassError:
    """Return the error to raise where a training's folder can't be written."""
    return HourglassError(
        f"The training could not write in {folder} ({error.strerror or error}): free some space there, then resume."
    )


class ProgressLog:
    """Writes a training's progress to its folder, and a sign of life every second."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.now: dict[str, Any] = {"stage": "", "note": "", "row": {}, "pid": os.getpid()}
        # Rows written so far, one every `stride` epochs.
        self.rows: list[dict[str, Any]] | None = None
        self.stride = 1
        # Rows of parts of the first epochs, the row at which the last one ends, and their least distance in seconds.
        self.windows: list[dict[str, Any]] = []
        self.window_end: dict[str, Any] = {}
        self.window_seconds = 1.0
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._writing = threading.Lock()

    def __enter__(self) -> ProgressLog:
        self._write_now()
        self._heart.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._heart.join()

    def write(self, **parts: str) -> None:
        """Write the ``stage`` of the work, or a ``note`` that people should see."""
        self.now |= parts
        self._write_now()

    def write_tick(self, row: dict[str, Any]) -> None:
        """Write a row within an epoch, see `core.nn.training.train`."""
        if self.rows is None:
            self._begin(row["epoch"])
        # At the start of an epoch, show pace and losses of the epoch before.
        position = {name: row[name] for name in _POSITION}
        self.now["row"] = row if row["rows_per_second"] else {**row, **self.now["row"], **position}
        self.now["within"] = self._add_window(row)
        self._write_now()

    def _add_window(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Return rows about a second apart while epochs are few, each of the steps since the row before."""
        if len(self.rows) >= queue.FEW_EPOCHS:
            return []
        if not row["rows_per_second"]:
            self.window_end = row
        elif row["seconds"] - self.window_end.get("seconds", 0.0) >= self.window_seconds:
            self.windows.append(_subtract_row(row, self.window_end))
            self.window_end = row
            if len(self.windows) > _MOST_WINDOWS:
                self.windows, self.window_seconds = self.windows[1::2], 2 * self.window_seconds
        return self.windows

    def write_epoch(self, row: dict[str, Any]) -> None:
        """Add the row of an epoch to the history; raises HourglassError if it can't be written."""
        self.now["row"] = {**self.now["row"], **row}
        if self.rows is None:
            self._begin(0)
        if (row["epoch"] - 1) % self.stride:
            return
        self.rows.append(row)
        try:
            if len(self.rows) > MOST_ROWS:
                self.rows, self.stride = self.rows[::2], self.stride * 2
                self._rewrite_history()
            else:
                with (self.folder / "progress.jsonl").open("a") as file:
                    file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise explain_unwritable(self.folder, error) from None

    def _begin(self, epoch: float) -> None:
        """Keep the history up to the epoch of the checkpoint: later epochs are trained again."""
        self.rows = [row for row in queue.read_history(self.folder) if row["epoch"] <= epoch]
        self.stride = max(1, round(self.rows[1]["epoch"] - self.rows[0]["epoch"])) if len(self.rows) > 1 else 1
        # Rewritten always: a full disk may have cut the last line short.
        with suppress(OSError):
            self._rewrite_history()

    def _rewrite_history(self) -> None:
        files.write_atomically(self.folder / "progress.jsonl", "".join(json.dumps(row) + "\n" for row in self.rows))

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            self._write_now()

    def _write_now(self) -> None:
        path = self.folder / "now.json"
        with self._writing:
            try:
                files.write_atomically(path, json.dumps(self.now))
            except OSError:
                with suppress(OSError):
                    os.utime(path)


def _subtract_row(row: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Return the means over the steps between two rows, which hold means over their epoch so far."""
    n, m = row["within"], earlier.get("within", 0)
    if earlier.get("epoch", 0.0) // 1 != row["epoch"] // 1:
        m = 0
    means = [name for name in row if name not in _NOT_MEANS and (not m or name in earlier)]
    return row | {name: (row[name] * n - earlier.get(name, 0.0) * m) / (n - m) for name in means}
