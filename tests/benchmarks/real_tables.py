"""Twelve real tables, as scikit-learn and plotly bring them, in files of nine kinds with the quirks of their makers."""

import gzip
import io

import numpy as np
import pandas as pd
import plotly.data
from sklearn import datasets

from tests.datasets.own.table_files import pack, save, to_sheet, workbook


def _load(name: str) -> pd.DataFrame:
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.data.copy()
    is_classes = "target_names" in bunch and name != "diabetes"
    return frame.assign(target=np.asarray(bunch.target_names)[bunch.target] if is_classes else bunch.target)


def _to_arff(frame: pd.DataFrame) -> bytes:
    kinds = [
        "numeric" if pd.api.types.is_numeric_dtype(column) else "{" + ",".join(map(repr, sorted(set(column)))) + "}"
        for _, column in frame.items()
    ]
    head = "".join(f"@attribute {name!r} {kind}\n" for name, kind in zip(frame, kinds, strict=True))
    rows = frame.to_csv(index=False, header=False, quotechar="'", quoting=2)
    return f"% wind roses\n@relation wind\n{head}@data\n{rows}".encode()


def make_files() -> dict[str, bytes]:
    """The files by name."""
    tips, gapminder, election = plotly.data.tips(), plotly.data.gapminder(), plotly.data.election()
    stocks, wind, cars = plotly.data.stocks(), plotly.data.wind(), plotly.data.carshare()
    digits = datasets.load_digits()
    german = election.to_csv(index=False, sep=";", decimal=",").replace("\n", "\r\n").encode("cp1252")
    insurance = tips.assign(day=pd.date_range("2024-01-01", periods=len(tips)).astype(str))
    with_gaps = insurance.mask(np.random.default_rng(0).random(tips.shape) < 0.05)
    sql = with_gaps.to_csv(index=False, na_rep="NULL", quoting=1)
    return {
        "iris.csv": _load("iris").to_csv(index=False).encode(),
        "wine.parquet": _load("wine").to_parquet(),
        "breast cancer.xlsx": workbook({"Sheet1": to_sheet(_load("breast_cancer"))}),
        "diabetes.tsv.gz": gzip.compress(_load("diabetes").to_csv(index=False, sep="\t").encode()),
        "digits.npz": save(np.savez, X=digits.data, y=digits.target),
        "tips.csv": tips.to_csv(index=True, index_label="", na_rep="NA", quoting=2).encode(),
        "gapminder.feather": save(lambda file: gapminder.to_feather(file)),
        "wahl.csv": german,
        "stocks.jsonl": stocks.to_json(orient="records", lines=True).encode(),
        "wind.arff": _to_arff(wind),
        "carshare.zip": pack({"export/carshare.csv": cars.to_csv(index=False)}),
        "tips_sql.csv": sql.encode(),
    }


def make_large(n_rows: int = 10_000, n_columns: int = 50) -> bytes:
    """A made-up table as CSV: numbers on a curved surface, five categories, dates, and missing cells."""
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((n_rows, 4))
    n_numbers = n_columns - 7
    numbers = np.tanh(codes @ rng.standard_normal((4, 20))) @ rng.standard_normal((20, n_numbers))
    frame = pd.DataFrame(numbers + rng.standard_normal(numbers.shape), columns=[f"x{k}" for k in range(n_numbers)])
    for k in range(5):
        cuts = pd.qcut(codes[:, k % 4] + rng.standard_normal(n_rows), 3 + k, labels=False)
        frame[f"category {k}"] = [f"c{cut}" for cut in cuts]
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n_rows), unit="D")
    frame["class"] = np.array(["low", "middle", "high"])[pd.qcut(codes[:, 0], 3, labels=False)]
    text = io.StringIO()
    frame.mask(rng.random(frame.shape) < 0.02).to_csv(text, index=False)
    return text.getvalue().encode()
