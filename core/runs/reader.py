"""Read a stored run from its folder, or from the contents of a zip file, and check that it is whole."""

import functools
import hashlib
import json
import math
import stat
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from core import methods
from core.errors import BadInput, BrokenRun
from core.nn import quantization
from core.runs import layout
from core.types import Form, Run, Spec

FORMAT = 1
LARGEST_DOCUMENT = 20_000_000
PARTS = {"spec": dict, "history": list, "metrics": dict, "environment": dict, "notes": dict, "files": dict}
# Entries that every page needs, and their types.
_ENVIRONMENT = {"date": str, "data_checksum": str, "kind": str, "n_train": int, "n_test": int, "seconds": int | float}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class RunFiles:
    """A run's files: those in its folder, or `contents` if given; `zipped` files are not stored yet."""

    place: Path
    contents: Mapping[str, bytes] | None = None
    zipped: bool = False

    def __str__(self) -> str:
        return "this zip file" if self.zipped else layout.printable(self.place)

    def named(self, name: str) -> str:
        return f"{name} in {self}" if self.zipped else layout.printable(self.place / name)

    @property
    def remedy(self) -> str:
        return "export the run again" if self.zipped else "delete that folder and train the run again"

    def read(self, name: str, most: float = math.inf) -> bytes:
        """Return the bytes of a file; raise BrokenRun if it can't be read or has more than `most`."""
        file = self.place / name
        try:
            if self.contents is not None:
                return self.contents[name]
            status = file.stat()
            # Reading from a pipe or a device would never end.
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                raise BrokenRun(f"{self.named(name)} is no file of a run: {self.remedy}.")
            return file.read_bytes()
        except (FileNotFoundError, KeyError):
            raise BrokenRun(f"{self.named(name)} is missing: {self.remedy}.") from None
        except OSError as error:
            raise BrokenRun(f"{self.named(name)} can't be read ({error.strerror or error}).") from None

    def _lacking(self, why: str) -> BrokenRun:
        return BrokenRun(f"{self.named(layout.DOCUMENT)} describes no run of this program ({why}): {self.remedy}.")

    def _changed(self, name: str) -> BrokenRun:
        return BrokenRun(f"{self.named(name)} is not what was written: {self.remedy}.")

    @cached_property
    def document(self) -> dict[str, Any]:
        """The checked JSON of the run."""
        document, is_whole = {}, False
        with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            document = json.loads(self.read(layout.DOCUMENT, LARGEST_DOCUMENT))
            expected, version = document.pop("checksum"), document["format"]
            if version != FORMAT:
                name = self.named(layout.DOCUMENT)
                raise BrokenRun(f"{name} has format {version!r:.40}, this program reads {FORMAT}.")
            is_whole = digest(canonical_json(document)) == expected
        if not is_whole:
            raise self._changed(layout.DOCUMENT)
        if wrong := next(_find_wrong_entries(document), None):
            raise self._lacking(f"{wrong} is missing or of a wrong type")
        return document

    @cached_property
    def spec(self) -> Spec:
        try:
            spec = Spec.from_json(self.document["spec"])
        except BadInput as problem:
            raise self._lacking(str(problem).rstrip(".")) from None
        if not layout.is_of_type(spec.param("n_components"), int) or spec.param("n_components") < 1:
            raise self._lacking("its n_components is no whole number")
        for name, value in (*spec.params, *spec.dataset_params):
            if not isinstance(value, int | float | str):
                raise self._lacking(f"its {name!r:.40} is neither a number nor text")
        return spec

    def parse_run(self) -> Run:
        """Return the run without arrays."""
        document, name = self.document, layout.folder_name(self.spec)
        if self.place.name not in (name, self.spec.key):
            remedy = self.remedy if self.zipped else "rename it, or delete it"
            raise BrokenRun(f"The run in {self} belongs in a folder named {name}: {remedy}.")
        metrics, by_class = layout.metrics_from_json(document["metrics"])
        parts = (document["history"], metrics, document["environment"], document["notes"])
        return Run(self.spec, *parts, place=None if self.zipped else self.place, by_class=by_class)

    def parse_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Return the arrays of a file; of snapshots that do not exist, none."""
        if name == layout.REPLAY and name not in self.document["files"]:
            return {}
        data = self.read(name)
        # A file with the right checksum may hold no arrays.
        with suppress(SafetensorError, KeyError, TypeError, ValueError):
            if digest(data) == self.document["files"].get(name):
                return load(data)
        raise self._changed(name)

    def parse_whole(self) -> tuple[Run, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return a run with its views, its weights and its snapshots."""
        if self.contents is not None and self.contents.keys() != {layout.DOCUMENT, *self.document["files"]}:
            raise self._changed(layout.DOCUMENT)
        run = replace(self.parse_run(), views=self.parse_arrays(layout.VIEWS))
        return run, self.parse_arrays(layout.WEIGHTS), self.parse_arrays(layout.REPLAY)

    def build_estimator(self) -> Any:
        """Return the fitted estimator."""
        spec, environment = self.spec, self.document["environment"]
        method, label = methods.get(spec.method), methods.label(spec.method)
        if spec.version != method.version:
            versions = f"version {spec.version} of {label}, this is version {method.version}"
            raise BrokenRun(f"The run in {self} was made by {versions}: train it again.")
        weights = self.parse_arrays(layout.WEIGHTS)
        try:
            blank = method.estimator(dict(spec.params), Form.from_json(environment), spec.seed)
            fitted = method.restore(blank, quantization.to_floats(weights))
            # Other runs were measured here by these weights.
            if self.zipped or "loaded" in environment:
                _try_out(fitted, spec.param("n_components"), environment["n_features"])
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            why = textwrap.shorten(str(error), 300, placeholder=" …")
            raise BrokenRun(f"The weights in {self} do not fit {label} ({why}): {self.remedy}.") from None
        return fitted


def _find_wrong_entries(document: dict[str, Any]) -> Iterator[str]:
    """Yield the entries that pages need and that are missing or of a wrong type: another program may have signed it."""
    yield from (name for name, kind in PARTS.items() if not layout.is_of_type(document.get(name), kind))
    environment = document["environment"]
    yield from (name for name, kind in _ENVIRONMENT.items() if not layout.is_of_type(environment.get(name), kind))
    shape = environment.get("image_shape", [1, 1])
    if shape is not None and (not isinstance(shape, list) or [type(n) for n in shape] != [int, int]):
        yield "image_shape"
    if not all(isinstance(row, dict) for row in document["history"]):
        yield "history"
    try:
        metrics, _ = layout.metrics_from_json(document["metrics"])
    except ValueError as error:
        yield str(error)
    else:
        yield from (name for name in ("seconds", "weights") if name not in metrics)


def _try_out(fitted: Any, n_components: int, n_features: int) -> None:
    """Raise ValueError unless a fitted estimator computes finite codes and rows of these sizes."""
    row, code = np.ones((1, n_features), np.float32), np.ones((1, n_components), np.float32)
    calls = [("inverse_transform", code, n_features), ("transform", row, n_components)]
    for name, given, width in [*calls, ("discriminator_features", row, None)]:
        if hasattr(fitted, name):
            with np.errstate(all="ignore"):
                array = getattr(fitted, name)(given)
            width = width or np.size(array)
            if np.shape(array) != (1, width) or not np.isfinite(array).all():
                raise ValueError(f"their {name} does not give {width} finite numbers")


def read_again_if_replaced(reads: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Decorate a function so that it reads again if the run was replaced while it was read."""

    @functools.wraps(reads)
    def steady(place: Path) -> Any:
        before = _find_status(place)
        try:
            return reads(place)
        except BrokenRun:
            if _find_status(place) == before:
                raise
        return steady(place)

    return steady


def _find_status(path: Path) -> tuple[int, int, int] | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size
    return None


_WIDENED = {np.dtype(np.uint16): np.int32, np.dtype(np.int8): np.int16}


@read_again_if_replaced
def read_run(place: Path) -> Run:
    """Return a run with its views, without its weights; raises BrokenRun if a file is missing or damaged."""
    files = RunFiles(place)
    views = files.parse_arrays(layout.VIEWS)
    for name, array in views.items():
        # As shipped runs store them, see `core.shipped`. Sums of float16 would lose digits.
        if name.startswith(("rows.", "nearest.", "map")) and array.dtype == np.float16:
            views[name] = array.astype(np.float32)
        elif array.dtype in _WIDENED:
            views[name] = array.astype(_WIDENED[array.dtype])
    return replace(files.parse_run(), views=views)


@read_again_if_replaced
def read_weights(place: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a run's fitted estimator; raises BrokenRun as `read_run`."""
    return RunFiles(place).parse_arrays(layout.WEIGHTS)


@read_again_if_replaced
def read_replay(place: Path) -> dict[str, np.ndarray]:
    """Return the snapshots of the training, which may be none; raises BrokenRun as `read_run`."""
    return RunFiles(place).parse_arrays(layout.REPLAY)


@read_again_if_replaced
def read_estimator(place: Path) -> Any:
    """Return the fitted estimator of a run; raise BrokenRun if it is damaged or of another version of its method."""
    return RunFiles(place).build_estimator()


@read_again_if_replaced
def read_summary(place: Path) -> Run:
    """Return a run without arrays, from memory if its document is unchanged; the caller must not change it."""
    return _read_summary(place, _find_status(place / layout.DOCUMENT))


@lru_cache(maxsize=512)
def _read_summary(place: Path, when: tuple[int, int, int] | None) -> Run:
    return RunFiles(place).parse_run()


def find_summary(place: Path) -> Run | None:
    """As `read_summary`; None if the run is damaged or absent."""
    with suppress(BrokenRun):
        return read_summary(place)
    return None
