"""Reading of Parquet, Feather, Excel and JSON files in a process of their own, whose memory and time are limited.

Their readers follow sizes that a file declares, and may end the whole process where these are wrong.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from core.datasets.own.text_formats import MOST_COLUMNS, guess_format, too_many_columns
from core.datasets.own.text_tables import name_columns, read_text
from core.errors import BadInput

_ROOT = Path(__file__).parents[3]
_SECONDS = 120
_BATCH_CELLS = 2_000_000
_LIBRARIES = 40_000_000  # bytes of code in memory, which the system does not count
_REFUSED, _TOO_LARGE = 3, 4  # exit codes


def read_apart(kind: str, content: bytes, part: str, limit: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table by one of `READERS` in another process.

    Returns the frame, and "parts", "part" and "notes". Raises BadInput.
    """
    command = [sys.executable, "-m", "core.datasets.own.sandbox", kind, part, str(limit)]
    # Arrow's own allocator asks for more memory than it may use.
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(content)
        source.seek(0)
        try:
            done = subprocess.run(
                command,
                stdin=source,
                stdout=target,
                stderr=subprocess.PIPE,
                cwd=_ROOT,
                env=environment,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise BadInput(f"Reading the file takes more than {_SECONDS} seconds: save the table as CSV.") from None
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        if done.returncode == _REFUSED:
            raise BadInput(reason)
        if done.returncode == _TOO_LARGE or done.returncode < 0:
            raise BadInput(
                f"The file is damaged, or its table needs more than {2 * limit / 1e6:,.0f} MB of memory: "
                "save fewer rows or columns, or set HOURGLASS_UPLOAD_MB to a larger number."
            )
        if done.returncode:
            raise ValueError(reason)
        target.seek(0)
        with pa.ipc.open_stream(target) as stream:
            table = stream.read_all()
    about = json.loads(table.schema.metadata[b"about"])
    return table.replace_schema_metadata().to_pandas(split_blocks=True), about


def main() -> int:
    """Read the standard input, and write an Arrow stream to the standard output."""
    kind, part, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    _limit_memory(2 * limit)
    try:
        tables, about = READERS[kind](sys.stdin.buffer, part)
        n_bytes, stream = 0, None
        for table in tables:
            n_bytes += table.nbytes
            if n_bytes > limit:
                return _TOO_LARGE
            if stream is None:
                schema = table.schema.with_metadata({"about": json.dumps(about)})
                stream = pa.ipc.new_stream(sys.stdout.buffer, schema)
            stream.write_table(table.replace_schema_metadata(schema.metadata))
        if stream is None:
            raise BadInput("The file holds no table: it has no row.")
        stream.close()
    except BadInput as problem:
        print(problem, file=sys.stderr)
        return _REFUSED
    except MemoryError:
        return _TOO_LARGE
    except BaseException as problem:  # a reader's own error about a damaged file; a panic of Rust is no Exception
        if "out of memory" in str(problem):
            return _TOO_LARGE
        print(" ".join(str(problem).split()) or type(problem).__name__, file=sys.stderr)
        return 1
    return 0


def _limit_memory(n_bytes: int) -> None:
    """Limit the memory that this process takes from now on, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])  # data and stack
        most = max(n_bytes - _LIBRARIES, pages * os.sysconf("SC_PAGE_SIZE") + n_bytes // 2)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_parquet(file: BinaryIO, part: str):
    from pyarrow import parquet

    metadata = parquet.read_metadata(file)
    _check_shape(metadata.num_rows, metadata.num_columns)
    per_column = max(1, _BATCH_CELLS // max(1, metadata.num_columns))
    # A buffer for each column; without its size, whole columns are read.
    source = parquet.ParquetFile(file, pre_buffer=False, buffer_size=10 * per_column)
    return _to_plain(source.schema_arrow, source.iter_batches(per_column, use_threads=False))


def _read_feather(file: BinaryIO, part: str):
    if file.peek(4).startswith(b"FEA1"):
        from pyarrow import feather

        table = feather.read_table(file, use_threads=False)
        return _to_plain(table.schema, table.to_batches())
    source = pa.ipc.open_file(file)
    return _to_plain(source.schema, map(source.get_batch, range(source.num_record_batches)))


def _check_shape(n_rows: int, n_columns: int) -> None:
    """Refuse more cells than the limit has room for, which may take little room in the file."""
    if n_columns > MOST_COLUMNS:
        raise too_many_columns(n_columns)
    if n_rows * n_columns > int(sys.argv[3]):
        raise MemoryError


def _to_plain(schema: pa.Schema, batches: Iterable[pa.RecordBatch]):
    """Columns of numbers, truth values, dates and text; others are converted, or left out and noted."""
    flat = pa.Table.from_batches([], schema).flatten().schema
    # The names of an index, in a file by pandas, are none of a person.
    names = name_columns(["" if name.startswith("__index_level_") else name for name in flat.names])
    targets = [_to_plain_type(field.type) for field in flat]
    left_out = [name for name, target in zip(names, targets, strict=True) if target is None]
    notes = [f"Left out: columns of lists or bytes, {', '.join(left_out)[:200]}."] if left_out else []

    def convert(batch: pa.RecordBatch) -> pa.Table:
        _check_shape(batch.num_rows, batch.num_columns)
        batch.validate(full=True)
        columns = zip(names, pa.Table.from_batches([batch]).flatten().columns, targets, strict=True)
        return pa.table({name: column.cast(target, safe=False) for name, column, target in columns if target})

    return map(convert, batches), {"notes": notes}


def _to_plain_type(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_dictionary(kind):
        return _to_plain_type(kind.value_type)
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and not pa.types.is_float16(kind):
        return kind
    return next((plain for is_kind, plain in _PLAIN if is_kind(kind)), None)


_PLAIN: tuple[tuple[Callable, pa.DataType], ...] = (
    (pa.types.is_boolean, pa.bool_()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_null, pa.float64()),
    (pa.types.is_decimal, pa.float64()),
    (pa.types.is_date, pa.timestamp("us")),
    (pa.types.is_timestamp, pa.timestamp("us")),
    (pa.types.is_duration, pa.int64()),
    (pa.types.is_time, pa.large_string()),
    (pa.types.is_string, pa.large_string()),
    (pa.types.is_large_string, pa.large_string()),
    (pa.types.is_string_view, pa.large_string()),
)


def _read_workbook(file: BinaryIO, part: str):
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(file)
    parts = list(book.sheet_names)
    filled = (name for name in parts if book.get_sheet_by_name(name).height > 1)
    chosen = part if part in parts else next(filled, parts[0])
    sheet = book.get_sheet_by_name(chosen)
    if sheet.height < 2:
        raise BadInput(f"The sheet “{chosen[:40]}” holds no table: choose another sheet.")
    target = io.BytesIO()
    text = io.TextIOWrapper(target, "utf-8", errors="replace", newline="")
    csv.writer(text).writerows([_to_text(cell) for cell in row] for row in sheet.iter_rows())
    text.flush()
    del sheet, book
    content = target.getvalue()
    form = guess_format(content, ",")
    frame, notes = read_text(content, form)
    about = {"parts": parts, "part": chosen, "notes": notes}
    return [pa.Table.from_pandas(frame, preserve_index=False)], about


def _to_text(cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def _read_json(file: BinaryIO, part: str):
    rows = _parse_rows(file)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput("The file holds no table: it must hold one object for each row, with a value for each column.")
    n_columns = len({name for row in rows for name in row})
    if n_columns > MOST_COLUMNS:
        raise too_many_columns(n_columns)
    frame = pd.json_normalize(rows, max_level=2)
    for name in frame.select_dtypes(object):
        frame[name] = frame[name].map(_to_json_text, na_action="ignore")
    frame.columns = name_columns([str(name) for name in frame])
    return [pa.Table.from_pandas(frame, preserve_index=False)], {}


def _parse_rows(file: BinaryIO):
    """The objects of JSON lines, of an array, of an array in an object, or of an object of columns."""
    content = file.read()
    try:
        whole = json.loads(content)
    except json.JSONDecodeError as problem:
        if problem.msg != "Extra data":
            raise
        return [json.loads(line) for line in io.BytesIO(content) if line.strip()]
    if not isinstance(whole, dict):
        return whole
    arrays = [
        value for value in whole.values() if isinstance(value, list) and all(isinstance(row, dict) for row in value)
    ]
    if len(arrays) == 1:
        return arrays[0]
    if {type(value) for value in whole.values()} in ({dict}, {list}):
        return pd.DataFrame(whole).to_dict("records")
    return [whole]


def _to_json_text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


READERS = {"parquet": _read_parquet, "feather": _read_feather, "workbook": _read_workbook, "json": _read_json}

if __name__ == "__main__":
    sys.exit(main())
