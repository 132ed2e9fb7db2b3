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
from core.datasets.own.catalogue import (
    ABOUT,
    DATA,
    HOST,
    RECIPE,
    explain_unwritable,
    folder,
    get_about,
    hold,
    read_about,
    write_about,
)
from core.datasets.own.columns import Column
from core.datasets.own.preparation import Prepared
from core.datasets.own.readers import Table
from core.datasets.own.recipe import Recipe, parse_recipe
from core.datasets.own.roles import describe_columns
from core.errors import BadInput, DataUnavailable, HourglassError
from core.files import check_room, list_members
from core.types import TABLES, Dataset

_LICENCE = "Yours: Hourglass does not know its licence."
LONGEST_LABEL = 60
_OF_ROWS = "kind", "rows", "n_columns", "n_classes", "blocks", "n_marks"
_LARGEST_JSON = 8_000_000  # bytes


def make_name(content: bytes, recipe: Recipe) -> str:
    """The name of the data set of a file and a recipe."""
    return f"own-{hashlib.sha256(hashlib.sha256(content).digest() + recipe.digest.encode()).hexdigest()[:12]}"


def add(content: bytes, file: str, table: Table, recipe: Recipe, label: str = "", owner: str = HOST) -> str:
    """Store a data set and return its name; one that is here already gets another owner, or the owner's new label.

    Parameters
    ----------
    content, file : the file and its name; table : what `readers.read_table` read of it.
    owner : the person who brought it, in a workshop.

    Raises BadInput if the recipe does not fit the table, HourglassError if there is no room.
    """
    name, label = make_name(content, recipe), check_label(label or Path(file).name.split(".")[0][:60] or "table")
    prepared = preparation.prepare(table, recipe)
    preparation.check_test_rows(prepared)
    datasets.check_dataset(to_dataset(label, prepared))
    text = recipe.model_dump_json(indent=1)
    about = {
        "kind": TABLES,
        "label": label,
        "file": Path(file).name[:200],
        "sha256": hashlib.sha256(content).hexdigest(),
        "recipe_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "owners": {owner: label},
        "is_shared": False,
        "rows": [len(prepared.X_train), len(prepared.X_test)],
        "n_columns": len(recipe.columns),
        "n_classes": len(prepared.target_names),
        "blocks": list(prepared.blocks),
        "n_marks": sum(bool(feature.of_missing) for feature in prepared.features),
    }
    place = folder() / name
    with hold():
        before = read_about(name)
        if is_intact(name) and all(before[key] == about[key] for key in _OF_ROWS):
            _rename(name, label, owner)
            return name
        about["owners"] = before.get("owners", {}) | about["owners"]
        remove(name)
        for left in (*folder().glob(".adding-*"), *folder().glob(".removed-*")):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        check_room(len(content))
        aside = Path(tempfile.mkdtemp(prefix=".adding-", dir=folder()))
        try:
            (aside / DATA).write_bytes(content)
            (aside / RECIPE).write_text(text, "utf-8")
            (aside / ABOUT).write_text(json.dumps(about), "utf-8")
            os.rename(aside, place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return name


def rename(name: str, label: str, owner: str = HOST) -> None:
    """Give a data set the label that this owner sees, and others where it is shared; BadInput if it is not allowed."""
    label = check_label(label)
    with hold():
        _rename(name, label, owner)


def _rename(name: str, label: str, owner: str) -> None:
    about = get_about(name)
    is_only = set(about["owners"]) <= {owner}
    labels = {"label": label if is_only else about["label"], "owners": about["owners"] | {owner: label}}
    write_about(name, about | labels)


def share(name: str, is_shared: bool) -> None:
    """Let everybody in a workshop see a data set, or only its owners."""
    with hold():
        write_about(name, get_about(name) | {"is_shared": is_shared})


def leave(name: str, owner: str) -> bool:
    """Take a data set from one of its owners; returns whether others have it too, so that it stays."""
    with hold():
        about = get_about(name)
        others = {person: label for person, label in about["owners"].items() if person != owner}
        if others:
            write_about(name, about | {"owners": others})
    return bool(others)


def is_intact(name: str) -> bool:
    """Whether an own data set is here and its file unchanged."""
    with suppress(DataUnavailable):
        return bool(read_recipe(name) and read_content(name))
    return False


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
        text = (folder() / name / RECIPE).read_bytes()
        recipe = parse_recipe(json.loads(text))
    except (OSError, ValueError, RecursionError) as problem:
        raise _damaged(name, problem) from None
    checksum = hashlib.sha256(text).hexdigest()
    if read_about(name).get("recipe_sha256", checksum) != checksum:
        raise _damaged(name, "its recipe was changed")
    return recipe


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
    recipe, about = read_recipe(name), get_about(name)
    try:
        table = readers.read_table(read_content(name), about["file"], to_format(recipe), recipe.part)
        dataset = to_dataset(name, preparation.prepare(table, recipe))
    except BadInput as problem:
        raise _damaged(name, problem) from None
    if list(dataset.blocks) != about["blocks"]:
        raise _damaged(name, "its description was changed")
    return dataset


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
    return {RECIPE, DATA} <= set(list_members(content))


def pack(name: str) -> bytes:
    """Return an own data set as a zip file of its file, its recipe, and the file's name and label."""
    about = {"label": datasets.entry(name).label, "file": get_about(name)["file"]}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(RECIPE, read_recipe(name).model_dump_json(indent=1))
        packed.writestr(ABOUT, json.dumps(about))
        packed.writestr(DATA, read_content(name))
    return out.getvalue()


@dataclass(frozen=True)
class Packed:
    """A data set that `pack` wrote: its file, the file's name, its label and its recipe."""

    content: bytes
    file: str
    label: str
    recipe: Recipe


def read_packed(packed: bytes) -> Packed:
    """Read a file that `pack` wrote; BadInput if it is damaged."""
    limit, parts = config.upload_limit(), {}
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as members:
            for name, most in ((RECIPE, _LARGEST_JSON), (ABOUT, _LARGEST_JSON), (DATA, limit + 1)):
                with members.open(name) as member:
                    parts[name] = member.read(most)
        recipe, about = parse_recipe(json.loads(parts[RECIPE])), json.loads(parts[ABOUT])
        return Packed(parts[DATA], str(about["file"])[:200], str(about["label"]), recipe)
    except HourglassError:
        raise
    except Exception as problem:  # zipfile raises many kinds
        raise BadInput(f"This exported data set is damaged ({problem!s:.100}): export it again.") from None


def unpack(content: bytes, owner: str = HOST) -> str:
    """Store the data set of a file that `pack` wrote and return its name; BadInput if it is damaged."""
    packed = read_packed(content)
    table = readers.read_table(packed.content, packed.file, to_format(packed.recipe), packed.recipe.part)
    return add(packed.content, packed.file, table, packed.recipe, packed.label, owner)


def to_format(recipe: Recipe) -> readers.TextFormat | None:
    """How a recipe reads a text file; None for other files."""
    return None if recipe.format is None else readers.TextFormat(**recipe.format.model_dump())
