"""Reading tables: guesses on awkward text files, every format, and hostile files."""

from core.datasets.own import cells, readers
from tests.datasets.own.awkward_files import CASES, DATE, NUMBER


def _wrong_guesses(case) -> list[str]:
    table = readers.read_table(case.content, "file.csv")
    form, frame = table.format, table.frame
    kinds = {name: cells.guess_kind(frame[name], form.decimal, name) for name in frame}
    first = []
    for name, cell in frame.iloc[0].items():
        column = frame[name][~cells.is_missing(frame[name])]
        if kinds[name] == NUMBER:
            cell = cells.to_numbers(column, form.decimal).iloc[0]
        if kinds[name] == DATE:
            cell = cells.to_dates(column, name).iloc[0].date()
        first.append(cell.strip() if isinstance(cell, str) else cell)
    pairs = {
        "delimiter": (form.delimiter, case.delimiter),
        "text": (case.content.decode(form.encoding), case.content.decode(case.encoding)),
        "header": (form.has_header, case.has_header),
        "decimal": (form.decimal, case.decimal),
        "columns": (kinds, case.columns),
        "rows": (len(frame), case.n_rows),
        "first row": (tuple(first) if case.first else (), case.first),
    }
    return [f"{name}: {found!r}, not {expected!r}" for name, (found, expected) in pairs.items() if found != expected]


def test_awkward_text_files_are_guessed_right():
    wrong = {case.name: found for case in CASES if (found := _wrong_guesses(case))}
    assert not wrong, "\n".join(f"{name}: {'; '.join(found)}" for name, found in wrong.items())
