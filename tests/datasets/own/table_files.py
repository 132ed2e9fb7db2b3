"""One small table as files of every format."""

import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd

FRAME = pd.DataFrame(
    {
        "size": [1.5, 2.25, np.nan, 4.0],
        "count": [3, 1, 4, 1],
        "city": ["Köln", "Genève", "<b>Rome</b>", "=1+1"],
        "day": pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-01", "2024-04-01"]),
    }
)


def pack(members: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def workbook(sheets: dict[str, str]) -> bytes:
    """An Excel file; each sheet is the XML of its rows."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet_list = "".join(f'<sheet name="{name}" sheetId="{k}" r:id="r{k}"/>' for k, name in enumerate(sheets, 1))
    targets = "".join(
        f'<Relationship Id="r{k}" Type="{relations}/worksheet" Target="worksheets/s{k}.xml"/>'
        for k in range(1, len(sheets) + 1)
    )
    files = {f"xl/worksheets/s{k}.xml": rows for k, rows in enumerate(sheets.values(), 1)}
    return pack(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{relations}"><sheets>{sheet_list}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{targets}'
            f'<Relationship Id="s" Type="{relations}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": f'<styleSheet {main}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
            "</styleSheet>",
        }
        | {name: f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>" for name, rows in files.items()}
    )


def to_sheet(frame: pd.DataFrame) -> str:
    """The XML of a sheet's rows: numbers, days in the style 1, and text."""

    def cell(value) -> str:
        if isinstance(value, pd.Timestamp):
            return f'<c s="1"><v>{(value - pd.Timestamp("1899-12-30")).days}</v></c>'
        if isinstance(value, str):
            text = value.replace("&", "&amp;").replace("<", "&lt;")
            return f'<c t="inlineStr"><is><t>{text}</t></is></c>'
        return "<c/>" if pd.isna(value) else f"<c><v>{value}</v></c>"

    rows = [list(frame.columns), *frame.itertuples(index=False)]
    return "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)


def save(write, *arguments, **options) -> bytes:
    file = io.BytesIO()
    write(file, *arguments, **options)
    return file.getvalue()


def to_files(frame: pd.DataFrame) -> dict[str, bytes]:
    """The table as a file of each format, by name."""
    rows = json.loads(frame.to_json(orient="records", date_format="iso"))
    text = frame.to_csv(index=False).encode()
    numbers = frame.select_dtypes("number").to_numpy()
    attributes = "".join(
        f"@attribute '{name}' {'numeric' if pd.api.types.is_numeric_dtype(kind) else 'string'}\n"
        for name, kind in frame.dtypes.items()
    )
    # Matches what programs write: text in quotes, and ? for a missing cell.
    lines = frame.to_csv(index=False, header=False, quotechar="'", na_rep="?", quoting=2)
    return {
        "table.csv": text,
        "table.tsv": frame.to_csv(index=False, sep="\t").encode("utf-16"),
        "table.csv.gz": gzip.compress(text),
        "table.zip": pack({"about/": b"", "readme.md": "A table.", "data/table.csv": text}),
        "table.parquet": frame.to_parquet(),
        "table.feather": save(lambda file: frame.to_feather(file)),
        "table.xlsx": workbook({"Cover": "", "Table": to_sheet(frame)}),
        "table.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "table.json": json.dumps(rows).encode(),
        "table.npy": save(np.save, numbers),
        "table.npz": save(np.savez_compressed, X=numbers, city=frame["city"].to_numpy(str)),
        "table.arff": f"% a comment\n@relation table\n{attributes}@data\n{lines}".encode(),
    }
