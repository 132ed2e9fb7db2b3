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
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from core.datasets.own import text_tables
from core.errors import BadInput

_ROOT = Path(__file__).parents[3]
_SECONDS = 120
_REFUSED, _TOO_LARGE = 3, 4  # exit codes


def read_apart(kind: str, content: bytes, part: str, limit: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table by one of `READERS` in another process.

    Returns the frame, and "parts", "part" and "notes". Raises BadInput.
    """
    command = [sys.executable, "-m", "core.datasets.own.sandbox", kind, part, str(limit)]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(content)
        source.seek(0)
        try:
            done = subprocess.run(
                command, stdin=source, stdout=target, stderr=subprocess.PIPE, cwd=_ROOT, timeout=_SECONDS
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
        table, about = READERS[kind](sys.stdin.buffer, part)
        if table.num_columns > text_tables.MOST_COLUMNS:
            raise text_tables.too_many_columns(table.num_columns)
        if table.nbytes > limit:
            return _TOO_LARGE
        table = table.replace_schema_metadata({"about": json.dumps(about)})
        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
            stream.write_table(table)
    except BadInput as problem:
        print(problem, file=sys.stderr)
        return _REFUSED
    except MemoryError:
        return _TOO_LARGE
    except BaseException as problem:  # a reader's own error about a damaged file; a panic of Rust is no Exception
        print(type(problem).__name__, " ".join(str(problem).split()), file=sys.stderr)
        return 1
    return 0


def _limit_memory(n_bytes: int) -> None:
    """Limit the memory that this process takes from now on, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])  # data and stack
        most = pages * os.sysconf("SC_PAGE_SIZE") + n_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_parquet(file: BinaryIO, part: str):
    from pyarrow import parquet

    source = parquet.ParquetFile(file)
    n_cells = source.metadata.num_rows * len(source.schema_arrow)
    _check_cells(n_cells)
    return _to_plain(source.read(use_threads=False))


def _read_feather(file: BinaryIO, part: str):
    from pyarrow import feather

    table = feather.read_table(file, use_threads=False)
    table.validate(full=True)
    _check_cells(table.num_rows * table.num_columns)
    return _to_plain(table)


def _check_cells(n_cells: int) -> None:
    """Raise MemoryError for more cells than the limit has room for, which may take little room in the file."""
    if n_cells > int(sys.argv[3]):
        raise MemoryError


def _to_plain(table: pa.Table):
    """Columns of numbers, truth values, dates and text; others are converted, or left out and noted."""
    columns, left_out = {}, []
    names = text_tables.name_columns(
        ["" if name.startswith("__index_level_") else name for name in table.flatten().column_names]
    )
    for name, column in zip(names, table.flatten().columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        target = next((target for is_kind, target in _PLAIN if is_kind(kind)), None)
        if target is None:
            left_out.append(name)
            continue
        columns[name] = column if target is kind else column.cast(target, safe=False)
    notes = [f"The columns {', '.join(left_out)[:200]} hold lists or bytes and are left out."] if left_out else []
    return pa.table(columns), {"notes": notes}


_PLAIN: tuple[tuple[Callable, pa.DataType], ...] = (
    (pa.types.is_boolean, pa.bool_()),
    (lambda kind: pa.types.is_float16(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind), pa.float64()),
    (pa.types.is_date, pa.timestamp("us")),
    (lambda kind: pa.types.is_timestamp(kind), pa.timestamp("us")),
    (pa.types.is_duration, pa.int64()),
    (
        lambda kind: pa.types.is_time(kind) or pa.types.is_string_view(kind) or pa.types.is_string(kind),
        pa.large_string(),
    ),
)


def _read_workbook(file: BinaryIO, part: str):
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(file)
    parts = list(book.sheet_names)
    filled = (name for name in parts if book.get_sheet_by_name(name).height > 1)
    chosen = part if part in parts else next(filled, parts[0])
    sheet = book.get_sheet_by_name(chosen)
    text = io.StringIO()
    writer = csv.writer(text)
    for row in sheet.iter_rows():
        writer.writerow([_to_text(cell) for cell in row])
    content = text.getvalue().encode()
    form = text_tables.guess_format(content, ",")
    table = text_tables.read_text(content, form)
    about = {"parts": parts, "part": chosen, "notes": table.notes}
    return pa.Table.from_pandas(table.frame, preserve_index=False), about


def _to_text(cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def _read_json(file: BinaryIO, part: str):
    start = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    rows = json.load(file) if start.startswith(b"[") else [json.loads(line) for line in file if line.strip()]
    if not rows or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput("The file holds no table: it must hold one object for each row, with a value for each column.")
    frame = pd.json_normalize(rows, max_level=2)
    for name in frame.select_dtypes(object):
        frame[name] = frame[name].map(_to_json_text, na_action="ignore")
    frame.columns = text_tables.name_columns([str(name) for name in frame])
    return pa.Table.from_pandas(frame, preserve_index=False), {}


def _to_json_text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


READERS = {"parquet": _read_parquet, "feather": _read_feather, "workbook": _read_workbook, "json": _read_json}

if __name__ == "__main__":
    sys.exit(main())
