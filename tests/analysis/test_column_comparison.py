"""Columns inside and outside a selection, against scipy, published intervals and a table made for it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact, ttest_ind

from core.analysis.column_comparison import compare_columns
from core.analysis.columns import CATEGORY, DATE, NUMBER, read_columns


def make_frame(n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    is_inside = rng.random(n) < 0.3
    frame = pd.DataFrame(
        {
            "shifted": rng.normal(2 * is_inside, 1.5),
            "same": rng.normal(size=n),
            "day": pd.Timestamp("2020-03-01") + pd.to_timedelta(rng.integers(0, 100, n) + 40 * is_inside, unit="D"),
            "kind": np.where(rng.random(n) < 0.2 + 0.5 * is_inside, "b", rng.choice(["a", "c", "d"], n)),
            "name": [f"row {k}" for k in range(n)],
            "constant": 7.0,
        }
    )
    frame.loc[(rng.random(n) < 0.4) & is_inside, "same"] = np.nan
    return frame, is_inside


def test_columns_are_read_by_type():
    frame, _ = make_frame()
    frame["number of row"] = [str(k) for k in range(400)]
    frame["empty"] = [None] * 400
    columns = {column.name: column for column in read_columns(frame, {"kind"})}
    types = {
        "shifted": NUMBER,
        "day": DATE,
        "kind": CATEGORY,
        "name": CATEGORY,
        "number of row": NUMBER,
        "empty": NUMBER,
    }
    assert {name: columns[name].type for name in types} == types
    assert columns["day"].values[0] == (frame["day"][0] - pd.Timestamp("1970-01-01")).days
    counts = frame["kind"].value_counts()
    assert columns["kind"].categories[0] == counts.index[0] == "b"
    assert [columns["kind"].categories[k] for k in columns["kind"].values] == frame["kind"].tolist()


def test_means_and_shares_are_compared_with_their_intervals():
    frame, is_inside = make_frame()
    found = {(each.column.name, each.is_missing): each for each in compare_columns(read_columns(frame), is_inside)}
    effects = [abs(each.effect) for each in found.values()]
    assert effects == sorted(effects, reverse=True)
    assert set(found) == {(name, False) for name in ("shifted", "same", "day", "kind")} | {("same", True)}
    for name in ("shifted", "same"):
        a, b = (frame[name][rows].dropna() for rows in (is_inside, ~is_inside))
        expected, each = ttest_ind(a, b, equal_var=False), found[name, False]
        assert (each.difference.low, each.difference.high) == pytest.approx(expected.confidence_interval())
        assert each.p == pytest.approx(expected.pvalue)
        pooled = np.sqrt(((len(a) - 1) * a.var() + (len(b) - 1) * b.var()) / (len(a) + len(b) - 2))
        assert each.effect == pytest.approx((a.mean() - b.mean()) / pooled)
        assert (each.inside.n, each.outside.n) == (len(a), len(b))
    kind = found["kind", False]
    shares = [(frame["kind"][rows] == "b").mean() for rows in (is_inside, ~is_inside)]
    assert kind.category == "b"
    assert [kind.inside.value, kind.outside.value, kind.difference.value] == pytest.approx(
        [*shares, -np.diff(shares)[0]]
    )
    counts = pd.crosstab(frame["kind"] == "b", is_inside).to_numpy()
    assert kind.p == pytest.approx(4 * fisher_exact(counts).pvalue)
    significant = {key for key, each in found.items() if each.is_significant}
    assert significant == {("shifted", False), ("day", False), ("kind", False), ("same", True)}


@pytest.mark.parametrize(
    ("counts", "sizes", "interval"),
    [((56, 48), (70, 80), (0.0524, 0.3339)), ((9, 3), (10, 10), (0.1705, 0.8090)), ((10, 0), (10, 20), (0.6791, 1.0))],
)
def test_difference_of_shares_has_newcombes_interval(counts, sizes, interval):
    """Newcombe (1998), table II, method 10, contrasts a, d and h."""
    is_inside = np.repeat([True, False], sizes)
    cells = np.concatenate([np.arange(n) < count for count, n in zip(counts, sizes, strict=True)])
    column = read_columns(pd.DataFrame({"kind": np.where(cells, "yes", "no").astype(object)}))
    (found,) = compare_columns(column, is_inside)
    sign = 1 if found.category == "yes" else -1
    ends = sorted([sign * found.difference.low, sign * found.difference.high])
    assert ends == pytest.approx(interval, abs=1e-4)


def test_one_row_and_equal_values_have_no_test():
    frame, _ = make_frame(40)
    frame["apart"] = (np.arange(40) == 3).astype(float)
    found = {each.column.name: each for each in compare_columns(read_columns(frame), np.arange(40) == 3)}
    assert found["shifted"].difference.interval is None
    assert not any(each.is_significant for each in found.values())
    assert np.isinf(found["apart"].effect)
    assert compare_columns(read_columns(frame), np.ones(40, bool)) == []
