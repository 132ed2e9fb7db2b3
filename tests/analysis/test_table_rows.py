"""Rows of a table from a decoder: drawn as its model says, and as cells of the file."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from core.analysis import table_rows
from core.datasets.own import recipe, store
from core.datasets.own.preparation import prepare


class Decoder:
    """Two numbers 2 z and -z with noise, and a category of three."""

    deviations_ = np.array([0.5, 0.0, 0.0, 0.0, 0.0], np.float32)

    def inverse_transform(self, Z):
        return np.column_stack([2 * Z[:, 0], -Z[:, 0], np.tile([0.5, 0.3, 0.2], (len(Z), 1))])


@pytest.fixture(scope="module")
def table():
    """The data set of a file with whole numbers, cents, days, categories and missing cells."""
    rng, n = np.random.default_rng(0), 120
    frame = pd.DataFrame(
        {"colour": rng.choice(["red", "green", "blue"], n), "age": rng.integers(18, 90, n).astype(float)}
    )
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")
    frame["price"] = rng.gamma(2, 30, n).round(2)
    frame["size"] = 1e-3 * rng.normal(size=n)
    frame.loc[::9, "age"], frame.loc[::7, "colour"] = np.nan, None
    frame["class"] = rng.choice(["a", "b"], n)
    content = frame.to_csv(index=False).encode()
    brought = store.read_file(content, "mixed.csv")
    return store.to_dataset("own-0", prepare(brought.table, recipe.make_recipe(brought.columns, brought.table.format)))


def test_rows_are_drawn_with_the_decoder_s_variance_and_shares():
    Z = np.random.default_rng(1).standard_normal((20_000, 1))
    rows = table_rows.draw_rows(Decoder(), Z, (1, 1, 3), random_state=0)
    assert kstest(rows[:, 0] / np.sqrt(4 + 0.25), "norm").pvalue > 0.01
    np.testing.assert_allclose(rows[:, 1], -Z[:, 0], rtol=1e-6)
    assert set(np.unique(rows[:, 2:])) == {0, 1}
    np.testing.assert_array_equal(rows[:, 2:].sum(axis=1), 1)
    np.testing.assert_allclose(rows[:, 2:].mean(axis=0), [0.5, 0.3, 0.2], atol=0.015)
    linear = SimpleNamespace(inverse_transform=lambda Z: np.tile([0, 0, -0.2, 0.6, 0.6], (len(Z), 1)))
    shares = table_rows.draw_rows(linear, Z, (1, 1, 3))[:, 2:].mean(axis=0)
    np.testing.assert_allclose(shares, [0, 0.5, 0.5], atol=0.015)


def test_cells_are_those_of_the_file_and_decoded_numbers_have_its_decimals(table):
    prepared, known = table.table, table.known_test
    cells = table_rows.to_cells(prepared, table.X_test, known)
    assert [*cells, "class"] == list(prepared.frame_test)
    for name in cells:
        real = prepared.frame_test[name]
        assert (cells[name].isna() == real.isna()).all()
        if name == "size":
            np.testing.assert_allclose(cells[name], real, atol=1e-8)
        else:
            assert (cells[name].dropna() == real.dropna()).all(), name
    moved = table_rows.to_cells(prepared, table.X_test + np.float32(0.0123))
    assert moved["age"].dtype == "Int64"
    np.testing.assert_array_equal(moved["price"], moved["price"].round(2))
    assert (moved["day"] == moved["day"].dt.normalize()).all()


def test_numbers_of_cells_are_days_and_columns_of_categories(table):
    cells = table_rows.to_cells(table.table, table.X_test, table.known_test)
    numbers, owners = table_rows.to_numbers(table.table, cells)
    assert list(numbers)[:4] == ["colour = blue", "colour = green", "colour = red", "age"]
    assert owners.tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert numbers["day"][0] == (cells["day"][0] - pd.Timestamp("1970-01-01")).days
    assert (numbers["colour = red"].dropna() == (cells["colour"].dropna() == "red")).all()
    assert numbers.isna().sum().sum() == 3 * cells["colour"].isna().sum() + cells["age"].isna().sum()


def test_decoded_rows_say_what_changed_and_where_a_value_lies(table):
    prepared = table.table
    train = prepared.frame_train
    X = table.X_train[[0, 0]].copy()
    price = next(feature for feature in prepared.features if feature.name == "price")
    X[1, price.start] = (train["price"].quantile(0.95) - price.center) / price.scale
    colour = next(feature for feature in prepared.features if feature.name == "colour")
    X[:, colour.columns] = [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]
    mark = next(feature for feature in prepared.features if feature.of_missing == "colour")
    X[:, mark.columns] = np.array(mark.categories) == "present"
    decoded = table_rows.Decoded.make(prepared, X)
    names = [feature.name for feature in decoded.features]
    assert names == ["colour", "age", "day", "price", "size"]
    assert decoded.texts[0][0] == "blue (70%)"
    assert decoded.describe_change(0, 0, 1) == "was blue"
    assert decoded.describe_change(1, 0, 1) == ""
    assert decoded.positions[1, 3] == pytest.approx(1, abs=1e-5)
    assert decoded.get_changes(0)[1, 3] == pytest.approx(X[1, price.start] - X[0, price.start], rel=1e-3)


def test_values_that_colour_a_plane_are_in_units_of_the_file(table):
    options = table_rows.list_coloured(table.table)
    assert options == ["colour = blue", "colour = green", "colour = red", "age", "day", "price", "size"]
    ages = table_rows.read_values(table.table, table.X_test, "age", table.known_test)
    np.testing.assert_allclose(ages, table.table.frame_test["age"], rtol=1e-5)
    years = table_rows.read_values(table.table, table.X_test, "day")
    assert ((years > 2020) & (years < 2023)).all()
