"""The recipe of an own data set: how its file is read, what its columns are, and how rows are prepared and split."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.datasets.own import columns
from core.datasets.own.columns import Column
from core.errors import BadInput

MEDIAN, DROP = "median", "drop"
STANDARD, MIN_MAX, ROBUST, UNSCALED = "standard", "min-max", "robust", "none"
STRATIFIED, BY_GROUP, BY_TIME, BY_COLUMN = "stratified", "group", "time", "column"
MISSING, SCALES, SPLITS = (
    (MEDIAN, DROP),
    (STANDARD, MIN_MAX, ROBUST, UNSCALED),
    (STRATIFIED, BY_GROUP, BY_TIME, BY_COLUMN),
)
TEST_SIZES = 0.05, 0.5

_Name = Annotated[str, Field(max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecipeColumn(_Part):
    """A column of the file: its type and role, see `core.datasets.own.columns`."""

    name: _Name
    type: Literal[columns.TYPES]
    role: Literal[columns.ROLES]


class TextFormat(_Part):
    """As `core.datasets.own.text_formats.TextFormat`."""

    encoding: Annotated[str, Field(max_length=20)]
    delimiter: Annotated[str, Field(max_length=1)]
    quote: Annotated[str, Field(max_length=1)]
    escape: Annotated[str, Field(max_length=1)]
    n_skipped: Annotated[int, Field(ge=0, le=1000)]
    has_header: bool
    decimal: Literal[".", ","]


class Recipe(_Part):
    """How a file becomes a data set. What is learned, such as means, is learned from the train rows at each loading.

    Attributes
    ----------
    format : how a text file is read, or None; part : the sheet or array that is read.
    missing : ``"median"`` fills missing numbers and dates with the median and categories with the most frequent one,
        and adds a feature that says where; ``"drop"`` leaves out rows with a missing cell.
    scale : scaling of numbers and dates.
    most_categories : categories of a column that are kept; rarer ones are joined.
    drop_duplicates : whether a row that equals another in all features and the label is left out; never in a table of
        categories only, whose rows are often equal.
    split : how test rows are chosen; by group, by time or by a column need a column of that role (time: a date).
        By a column, validation rows are the test rows if there are no others, else they are left out.
    test_size : share of the test rows; seed : of their choice.
    bins : classes of equal size that a label of numbers is divided into; 0: it is refused.
    """

    version: Literal[1] = 1
    format: TextFormat | None = None
    part: _Name = ""
    columns: Annotated[tuple[RecipeColumn, ...], Field(min_length=1, max_length=10_000)]
    missing: Literal[MISSING] = MEDIAN
    scale: Literal[SCALES] = STANDARD
    most_categories: Annotated[int, Field(ge=2, le=200)] = 20
    drop_duplicates: bool = True
    split: Literal[SPLITS] = STRATIFIED
    test_size: Annotated[float, Field(ge=TEST_SIZES[0], le=TEST_SIZES[1])] = 0.2
    seed: Annotated[int, Field(ge=0, le=9999)] = 0
    bins: Annotated[int, Field(ge=0, le=20)] = 0

    @model_validator(mode="after")
    def _check_columns(self) -> "Recipe":
        twice = [name for name, n in Counter(column.name for column in self.columns).items() if n > 1]
        if twice:
            raise ValueError(f"the column {twice[0]:.80} is named twice")
        if self.bins == 1:
            raise ValueError("one bin divides nothing: choose 0, or 2 to 20 bins")
        for role in columns.ROLES_OF_ONE:
            if len(self.list_columns(role)) > 1:
                raise ValueError(f"only one column can have the role {role}")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def list_columns(self, role: str) -> list[RecipeColumn]:
        """The columns with this role."""
        return [column for column in self.columns if column.role == role]

    def find_column(self, role: str) -> RecipeColumn | None:
        """The column with a role that one column may have; None without one."""
        return next(iter(self.list_columns(role)), None)


def make_recipe(found: Sequence[Column], form: Any = None, part: str = "", **settings: Any) -> Recipe:
    """Return the recipe of columns, see `core.datasets.own.roles.describe_columns`.

    `form` is the `core.datasets.own.text_formats.TextFormat` of a text file. With a column of the role split or group
    the split is by this column, unless `settings` say otherwise. Raises BadInput for a setting that is not allowed.
    """
    roles = {column.role for column in found}
    usual = BY_COLUMN if columns.SPLIT in roles else BY_GROUP if columns.GROUP in roles else STRATIFIED
    parts = [{"name": c.name, "type": c.type, "role": c.role} for c in found]
    document = {"format": None if form is None else vars(form), "part": part, "columns": parts, "split": usual}
    return parse_recipe(document | settings)


def parse_recipe(document: Any) -> Recipe:
    """Return the recipe in a JSON document; BadInput says what is not allowed in it."""
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what, why = f"The recipe's {where:.80}" if where else "The recipe", first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{what} is not allowed ({why:.200}).") from None
