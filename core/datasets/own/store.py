"""Own data sets on disk: added, loaded by repeating their recipe, deleted; see `core.datasets.own.catalogue`."""

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import config, datasets
from core.datasets.own import preparation, readers
from core.datasets.own.catalogue import ABOUT, DATA, RECIPE, explain_unwritable, folder, read_about, write_about
from core.datasets.own.columns import Column, describe_columns
from core.datasets.own.preparation import Prepared
from core.datasets.own.readers import Table
from core.datasets.own.recipe import Recipe, parse_recipe
from core.errors import BadInput, DataUnavailable, HourglassError
from core.types import TABLES, Dataset

_LICENCE = "Yours: Hourglass does not know its licence."
LONGEST_LABEL = 60


def make_name(content: bytes, recipe: Recipe) -> str:
    """The name of the data set of a file and a recipe."""
    return f"own-{hashlib.sha256(hashlib.sha256(content).digest() + recipe.digest.encode()).hexdigest()[:12]}"


def add(content: bytes, file: str, table: Table, recipe: Recipe, label: str = "", owner: str = "") -> str:
    """Store a data set and return its name; one that is here already gets the label.

    Parameters
    ----------
    content, file : the file and its name; table : what `readers.read_table` read of it.
    owner : the person whom it is private to in a workshop.

    Raises BadInput if the recipe does not fit the table, HourglassError if there is no room.
    """
    prepared = preparation.prepare(table, recipe)
    name, label = make_name(content, recipe), check_label(label or Path(file).name.split(".")[0] or "table")
    datasets.check_dataset(to_dataset(name, prepared))
    about = {
        "kind": TABLES,
        "label": label,
        "file": Path(file).name[:200],
        "sha256": hashlib.sha256(content).hexdigest(),
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "owner": owner,
        "is_shared": False,
        "rows": [len(prepared.X_train), len(prepared.X_test)],
        "n_columns": len(recipe.columns),
        "n_classes": len(prepared.target_names),
        "blocks": list(prepared.blocks),
        "n_bytes": len(content),
    }
    place = folder() / name
    with explain_unwritable():
        folder().mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            write_about(name, read_about(name) | {"label": label})
            return name
        aside = Path(tempfile.mkdtemp(prefix=".adding-", dir=folder()))
        try:
            (aside / DATA).write_bytes(content)
            (aside / RECIPE).write_text(recipe.model_dump_json(indent=1), "utf-8")
            (aside / ABOUT).write_text(json.dumps(about), "utf-8")
            os.rename(aside, place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return name


def check_label(label: str) -> str:
    """The label in one line; BadInput if it is empty or too long."""
    label = " ".join(label.split())
    if not 0 < len(label) <= LONGEST_LABEL or not label.isprintable():
        raise BadInput(f"The name “{label[:80]}” is not allowed: give 1 to {LONGEST_LABEL} printable characters.")
    return label


def remove(name: str) -> None:
    """Delete an own data set; its runs stay."""
    with explain_unwritable():
        aside = folder() / f".removed-{name}-{os.getpid()}"
        with suppress(FileNotFoundError):
            os.rename(folder() / name, aside)
        shutil.rmtree(aside, ignore_errors=True)


def read_recipe(name: str) -> Recipe:
    """The recipe of an own data set; DataUnavailable if it can't be read."""
    try:
        return parse_recipe(json.loads((folder() / name / RECIPE).read_bytes()))
    except (OSError, ValueError, RecursionError) as problem:
        raise _damaged(name, problem) from None


def read_content(name: str) -> bytes:
    """The original file; DataUnavailable if it can't be read or was changed."""
    try:
        content = (folder() / name / DATA).read_bytes()
    except OSError as problem:
        raise _damaged(name, problem) from None
    if hashlib.sha256(content).hexdigest() != read_about(name).get("sha256"):
        raise _damaged(name, "its file was changed")
    return content


def _damaged(name: str, problem: object) -> DataUnavailable:
    return DataUnavailable(f"The data set in {folder() / name} is damaged ({problem}): add its file again.")


def load(name: str, *, progress: object = None) -> Dataset:
    """Load an own data set by repeating its recipe; DataUnavailable if it is damaged."""
    recipe, about = read_recipe(name), read_about(name)
    form = None if recipe.format is None else readers.TextFormat(**recipe.format.model_dump())
    try:
        table = readers.read_table(read_content(name), about["file"], form, recipe.part)
        return to_dataset(name, preparation.prepare(table, recipe))
    except BadInput as problem:
        raise _damaged(name, problem) from None


def to_dataset(name: str, prepared: Prepared) -> Dataset:
    """The data set of prepared rows."""
    return Dataset(
        *(name, TABLES, prepared.X_train, prepared.y_train, prepared.X_test, prepared.y_test, prepared.target_names),
        *(_LICENCE, ""),
        notes=prepared.notes,
        redistributable=False,
        blocks=prepared.blocks,
        known_train=prepared.known_train,
        known_test=prepared.known_test,
        table=prepared,
    )


@dataclass(frozen=True)
class Brought:
    """A file that a person brought: its table and columns, with the roles that are suggested."""

    table: Table
    columns: tuple[Column, ...]


def read_file(content: bytes, file: str, form: readers.TextFormat | None = None, part: str = "") -> Brought:
    """Read a file; parameters and errors as `readers.read_table`."""
    table = readers.read_table(content, file, form, part)
    return Brought(table, describe_columns(table))


def is_packed(content: bytes) -> bool:
    """Whether a file is a data set that `pack` wrote."""
    return {RECIPE, DATA} <= set(_list_members(content))


def _list_members(content: bytes) -> list[str]:
    with suppress(Exception):  # zipfile raises many kinds on damaged files
        if content.startswith(b"PK\x03\x04"):
            return zipfile.ZipFile(io.BytesIO(content)).namelist()
    return []


def pack(name: str) -> bytes:
    """Return an own data set as a zip file of its file, its recipe, and the file's name and label."""
    about = {part: read_about(name)[part] for part in ("label", "file")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(RECIPE, read_recipe(name).model_dump_json(indent=1))
        packed.writestr(ABOUT, json.dumps(about))
        packed.writestr(DATA, read_content(name))
    return out.getvalue()


def unpack(content: bytes, owner: str = "") -> str:
    """Store the data set of a file that `pack` wrote and return its name; BadInput if it is damaged."""
    limit, parts = config.upload_limit(), {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in (RECIPE, ABOUT, DATA):
                with packed.open(name) as member:
                    parts[name] = member.read(limit + 1)
        recipe, about = parse_recipe(json.loads(parts[RECIPE])), json.loads(parts[ABOUT])
        file, label = str(about["file"])[:200], str(about["label"])
    except HourglassError:
        raise
    except Exception as problem:  # as above
        raise BadInput(f"This exported data set is damaged ({problem!s:.100}): export it again.") from None
    form = None if recipe.format is None else readers.TextFormat(**recipe.format.model_dump())
    return add(parts[DATA], file, readers.read_table(parts[DATA], file, form, recipe.part), recipe, label, owner)
