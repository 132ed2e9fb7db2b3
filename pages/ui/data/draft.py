"""The file that a visitor has brought and not kept yet, with what was changed about it; one a session."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from core import methods
from core.datasets.own import checks, columns, preparation, readers, recipe, store
from core.datasets.own.checks import Finding
from core.datasets.own.columns import Column
from core.datasets.own.recipe import Recipe
from core.datasets.own.roles import release
from core.errors import BadInput
from core.types import TABLES

_DRAFT = "hourglass.draft"
_MOST_CELLS = 2_000_000


@dataclass(frozen=True)
class Rows:
    """What the recipe makes of the table: rows and columns, what was left out, or why it can't be applied.

    `blocks` are the columns of each feature, see `core.types.Form`.
    """

    n_train: int = 0
    n_test: int = 0
    blocks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass
class Draft:
    """A file, how it is read, and the choices of its recipe.

    Attributes
    ----------
    form, part : how the file is to be read, see `readers.read_table`; None and "" as it seems.
    brought : what was read last, and `read_as` how; None before.
    problem : why the file can't be read as it is to be; "" if it can.
    chosen : type and role of the columns that were changed, also after the file is read again.
    settings : of the recipe, where they were changed; sizes, methods : latent dimensions and methods to train.
    version : of the editor of columns, which forgets its changes with a new one.
    """

    content: bytes
    file: str
    label: str
    form: readers.TextFormat | None = None
    part: str = ""
    brought: store.Brought | None = None
    read_as: Any = None
    problem: str = ""
    columns: tuple[Column, ...] = ()
    chosen: dict[str, tuple[str, str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    methods: list[str] = field(default_factory=lambda: list(methods.names(TABLES)))
    version: int = 0
    checked: tuple[Any, tuple[Finding, ...], str] = (None, (), "")
    counted: tuple[Any, Rows] = (None, Rows())

    @property
    def key(self) -> str:
        """A key of the widgets of this file."""
        return hashlib.sha256(self.file.encode() + len(self.content).to_bytes(8)).hexdigest()[:8]

    def read(self) -> None:
        """Read the file unless it was read in this way; on failure the last reading stays, and `problem` says why."""
        if self.read_as == (wanted := (self.form, self.part)):
            return
        self.read_as, self.problem = wanted, ""
        try:
            self.brought = store.read_file(self.content, self.file, self.form, self.part)
        except BadInput as problem:
            self.problem = str(problem)
            return
        self.columns = self.brought.columns
        self.version += 1
        found = {column.name: (column.type, column.role) for column in self.columns}
        for name, (type, role) in list(self.chosen.items()):
            if found.get(name, (type, role)) != (type, role):
                self.change(name, type, role)

    def find_column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def find_label(self) -> str | None:
        """The name of the column with the labels."""
        return next((column.name for column in self.columns if column.role == columns.LABEL), None)

    def change(self, name: str, type: str = "", role: str = "") -> None:
        """Give a column another type or role; a role that one column has is taken from the other."""
        before = self.find_column(name)
        column = before
        # Without a table it was discarded at the same moment.
        if type and type != before.type and self.brought is not None:
            table = self.brought.table
            column = columns.describe_column(table.frame[name], table.format.decimal if table.format else ".", type)
            is_role_kept = before.role not in (columns.FEATURE, columns.IGNORED, columns.ID)
            column = replace(column, role=before.role if is_role_kept else column.role)
        column = replace(column, role=role or column.role)
        self.chosen[name] = column.type, column.role
        self.columns = tuple(
            column if other.name == name else release(other) if _must_yield(other, column) else other
            for other in self.columns
        )

    def release(self, name: str) -> None:
        """Take the role of a column that only one column can have."""
        column = release(self.find_column(name))
        self.change(name, role=column.role)

    def make_recipe(self) -> Recipe:
        """The recipe of the choices; BadInput if one is not allowed."""
        table = self.brought.table
        return recipe.make_recipe(self.columns, table.format, table.part, **self.settings)

    def find_problems(self) -> tuple[tuple[Finding, ...], str]:
        """What is wrong with the table, and why it can be no data set ("" if it can), found once a change."""
        has_bins = bool(self.settings.get("bins"))
        asked = self.read_as, self.columns, has_bins
        if self.checked[0] != asked:
            try:
                self.checked = asked, checks.find_problems(self.brought.table, self.columns, has_bins=has_bins), ""
            except BadInput as problem:
                self.checked = asked, (), str(problem)
        return self.checked[1:]

    def count_rows(self) -> Rows:
        """Apply the recipe, once a change; for a table that this takes long for, estimate what it makes."""
        frame = self.brought.table.frame
        if frame.size > _MOST_CELLS:
            n_test = round(len(frame) * self.settings.get("test_size", 0.2))
            return Rows(len(frame) - n_test, n_test, tuple(self.estimate_blocks()))
        asked = self.read_as, self.columns, tuple(self.settings.items())
        if self.counted[0] != asked:
            try:
                prepared = preparation.prepare(self.brought.table, self.make_recipe())
                preparation.check_test_rows(prepared)
                counts = len(prepared.X_train), len(prepared.X_test)
                self.counted = asked, Rows(*counts, prepared.blocks, prepared.notes)
            except BadInput as problem:
                self.counted = asked, Rows(problem=str(problem))
        return self.counted[1]

    def estimate_blocks(self) -> list[int]:
        """About how many columns each feature will have."""
        blocks = []
        for column in self.columns:
            if column.role != columns.FEATURE:
                continue
            is_number = column.type in (columns.NUMBER, columns.DATE)
            blocks.append(1 if is_number else min(column.n_distinct, self.settings.get("most_categories", 20)))
            if column.n_missing + column.n_stray and self.settings.get("missing") != recipe.DROP:
                blocks.append(2)
        return blocks


def _must_yield(other: Column, column: Column) -> bool:
    return column.role in columns.ROLES_OF_ONE and other.role == column.role


def start(content: bytes, file: str, label: str = "") -> None:
    """Take a file in place of the one before; one that was exported brings its choices along.

    Raises BadInput if an exported data set is damaged.
    """
    made = None
    if store.is_packed(content):
        packed = store.read_packed(content)
        content, file, label, made = packed.content, packed.file, packed.label, packed.recipe
    name = Path(file).name[:200] or "table"
    new = Draft(content, name, (label or name.split(".")[0])[: store.LONGEST_LABEL] or "table")
    if made is not None:
        new.form, new.part = store.to_format(made), made.part
        new.chosen = {column.name: (column.type, column.role) for column in made.columns}
        new.settings = made.model_dump(exclude={"version", "format", "part", "columns"})
    discard()
    st.session_state[_DRAFT] = new


def get() -> Draft | None:
    return st.session_state.get(_DRAFT)


def discard() -> None:
    left = st.session_state.pop(_DRAFT, None)
    if left is not None:
        # Streamlit keeps the callbacks of widgets, and so this draft, until the session ends.
        left.content, left.brought = b"", None


def list_splits(found: Sequence[Column]) -> list[str]:
    """The splits that columns of these types and roles allow."""
    roles, types = {column.role for column in found}, {column.type for column in found}
    needed = {
        recipe.BY_GROUP: columns.GROUP in roles,
        recipe.BY_TIME: columns.DATE in types,
        recipe.BY_COLUMN: columns.SPLIT in roles,
    }
    return [split for split in recipe.SPLITS if needed.get(split, True)]
