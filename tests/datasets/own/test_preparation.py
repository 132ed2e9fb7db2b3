import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from core import memory
from core.datasets.own import preparation, recipe
from core.datasets.own.readers import Table
from core.errors import BadInput

N = 300


@pytest.fixture(scope="module")
def frame():
    """Numbers, dates, categories, gaps, groups and a split, with two classes."""
    random = np.random.default_rng(0)
    parts = {
        "x": random.normal(50, 9, N),
        "y": random.exponential(2, N),
        "count": random.integers(0, 9, N).astype(float),
        "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(random.integers(0, 9000, N), "D"),
        "colour": random.choice(["red", "green", "blue"], N, p=[0.6, 0.3, 0.1]).astype(object),
        "class": random.choice(["sick", "well"], N).astype(object),
        "person": random.integers(0, 60, N).astype(str).astype(object),
        "part": np.where(np.arange(N) % 4 == 3, "test", "train").astype(object),
    }
    made = pd.DataFrame(parts)
    made.loc[random.random(N) < 0.1, "y"] = np.nan
    made.loc[random.random(N) < 0.1, "colour"] = None
    return made


TYPES = {"x": "number", "y": "number", "count": "number", "born": "date"}
ROLES = {"class": "label", "person": "ignored", "part": "split"}


def make(frame, roles=None, types=None, **settings):
    types, roles = TYPES | (types or {}), ROLES | (roles or {})
    parts = [{"name": c, "type": types.get(c, "category"), "role": roles.get(c, "feature")} for c in frame]
    usual = {"split": recipe.BY_COLUMN if "split" in roles.values() else recipe.STRATIFIED}
    return recipe.parse_recipe({"columns": parts} | usual | settings)


def prepare(frame, roles=None, types=None, **settings):
    return preparation.prepare(Table(frame), make(frame, roles, types, **settings))


def test_test_rows_change_nothing_that_is_learned(frame):
    before = prepare(frame)
    changed, is_test = frame.copy(), frame["part"] == "test"
    changed.loc[is_test, ["x", "y", "count"]] = 1e6
    changed.loc[is_test, "born"] = pd.Timestamp("2030-01-01")
    changed.loc[is_test, "colour"] = "ultraviolet"
    for options in ({}, {"scale": "robust"}, {"scale": "min-max"}, {"most_categories": 2}):
        before, after = (prepare(rows, drop_duplicates=False, **options) for rows in (frame, changed))
        assert after.features == before.features
        np.testing.assert_array_equal(after.X_train, before.X_train)
        np.testing.assert_array_equal(after.known_train, before.known_train)
    assert not prepare(changed, drop_duplicates=False).known_test[:, before.features[4].columns].any()


def test_bins_of_a_label_are_quantiles_of_the_train_rows(frame):
    roles = {"class": "ignored", "x": "label"}
    before = prepare(frame, roles, bins=3)
    assert np.bincount(before.y_train).tolist() == [75, 75, 75]
    changed = frame.copy()
    changed.loc[frame["part"] == "test", "x"] = 1e6
    after = prepare(changed, roles, bins=3)
    assert after.target_names == before.target_names
    assert after.y_train.tolist() == before.y_train.tolist()
    assert set(after.y_test) == {2}
    assert [name.split()[0] for name in (before.target_names[0], before.target_names[2])] == ["to", "over"]


def test_permuted_labels_change_no_row(frame):
    permuted = frame.assign(**{"class": np.random.default_rng(1).permutation(frame["class"])})
    before, after = prepare(frame), prepare(permuted)
    np.testing.assert_array_equal(after.X_train, before.X_train)
    assert (after.y_train != before.y_train).any()


SCALERS = {"standard": StandardScaler(), "min-max": MinMaxScaler(), "robust": RobustScaler()}


@pytest.mark.parametrize("scale", SCALERS)
def test_numbers_and_categories_equal_scikit_learns_own(frame, scale):
    prepared = prepare(frame, scale=scale)
    is_test = (frame["part"] == "test").to_numpy()
    numbers = (
        frame[["x", "y", "count"]].assign(born=(frame["born"] - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy()
    )
    imputer = SimpleImputer(strategy="median").fit(numbers[~is_test])
    scaler = SCALERS[scale].fit(imputer.transform(numbers[~is_test]))
    colours = frame["colour"].fillna(frame["colour"][~is_test].mode()[0]).to_numpy()[:, None]
    encoder = OneHotEncoder(sparse_output=False).fit(colours[~is_test])
    for X, rows in ((prepared.X_train, ~is_test), (prepared.X_test, is_test)):
        expected = scaler.transform(imputer.transform(numbers[rows]))
        np.testing.assert_allclose(X[:, :4], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(X[:, 4:7], encoder.transform(colours[rows]))
        np.testing.assert_array_equal(X[:, 8], np.isnan(numbers[rows, 1]))
    assert prepared.features[4].categories == ("blue", "green", "red")
    np.testing.assert_array_equal(prepared.known_test[:, 1], ~np.isnan(numbers[is_test, 1]))
    np.testing.assert_array_equal(prepared.known_test[:, 4], frame["colour"][is_test].notna())


def test_rows_return_to_the_units_of_the_file(frame):
    for options in ({}, {"scale": "robust"}, {"scale": "min-max"}, {"scale": "none"}):
        prepared = prepare(frame, **options)
        for X, original in ((prepared.X_train, prepared.frame_train), (prepared.X_test, prepared.frame_test)):
            decoded = prepared.to_frame(X)
            assert list(decoded) == ["x", "y", "count", "born", "colour"]
            assert decoded.pop("colour").fillna("").tolist() == original["colour"].fillna("").tolist()
            pd.testing.assert_frame_equal(decoded, original[list(decoded)], rtol=1e-5, atol=1e-6)
    hours = frame.assign(born=frame["born"] + pd.Timedelta(hours=7))
    prepared = prepare(hours)
    off = prepared.to_frame(prepared.X_train)["born"] - prepared.frame_train["born"]
    assert off.abs().max() < pd.Timedelta(minutes=1)
    far = prepared.to_frame(np.full((1, prepared.X_train.shape[1]), 1e9, np.float32))["born"][0]
    assert far.year == 2261


def test_rare_and_unknown_categories_are_joined(frame):
    towns = np.random.default_rng(0).choice([f"t{k:02d}" for k in range(30)], N, p=np.arange(1, 31) / 465)
    prepared = prepare(frame.assign(colour=towns.astype(object)), most_categories=4)
    feature = prepared.features[4]
    assert (feature.size, feature.categories[-1]) == (4, "other (27)")
    assert (prepared.X_train[:, feature.columns].sum(axis=1) == 1).all()


def test_missing_rows_may_be_dropped(frame):
    prepared = prepare(frame, missing="drop")
    assert len(prepared.y_train) + len(prepared.y_test) == frame[["y", "colour"]].notna().all(axis=1).sum()
    assert prepared.known_train is None
    assert not any(feature.of_missing for feature in prepared.features)


def test_groups_stay_together_and_have_about_the_share_of_test_rows(frame):
    roles = {"person": "group", "part": "ignored"}
    for seed in range(3):
        prepared = prepare(frame, roles, split="group", seed=seed)
        assert not set(prepared.frame_train["person"]) & set(prepared.frame_test["person"])
        assert 50 <= len(prepared.frame_test) <= 60
    gaps = frame.assign(person=frame["person"].where(np.arange(N) > 20, None))
    assert prepare(gaps, roles, split="group").frame_test["person"].notna().all()
    alone = frame.assign(person=np.arange(N).astype(str).astype(object))
    assert len(prepare(alone, roles, split="group").y_test) == 60
    with pytest.raises(BadInput, match="at least two groups"):
        prepare(frame.assign(person="me"), roles, split="group")


def test_latest_rows_are_the_test_rows_in_time_order(frame):
    gaps = frame.assign(born=frame["born"].where(np.arange(N) > 20))
    prepared = prepare(gaps, {"part": "ignored"}, split="time", drop_duplicates=False)
    assert prepared.frame_train["born"].max() <= prepared.frame_test["born"].min()
    assert prepared.frame_test["born"].notna().all()
    assert len(prepared.y_test) == 60
    with pytest.raises(BadInput, match="needs a column of dates"):
        prepare(frame, {"part": "ignored"}, {"born": "category"}, split="time")


def test_column_of_the_split_is_obeyed(frame):
    prepared = prepare(frame)
    assert [set(rows["part"]) for rows in (prepared.frame_train, prepared.frame_test)] == [{"train"}, {"test"}]
    parts = np.resize(np.array(["train", "Training", "train", "val", "dev", "test", None, "elsewhere"], object), N)
    prepared = prepare(frame.assign(part=parts))
    assert set(prepared.frame_test["part"]) == {"test"}
    assert set(prepared.frame_train["part"]) == {"train", "Training"}
    assert "neither train nor test" in prepared.notes[0]
    without = np.resize(np.array(["train", "train", "val"], object), N)
    assert set(prepare(frame.assign(part=without)).frame_test["part"]) == {"val"}
    with pytest.raises(BadInput, match="The train split has 0 rows"):
        prepare(frame.assign(part="a"))


def test_split_is_stratified_and_a_class_of_one_row_is_allowed(frame):
    rare = frame.assign(**{"class": frame["class"].where(np.arange(N) > 0, "dead")})
    prepared = prepare(rare, {"part": "ignored"})
    assert prepared.target_names == ("dead", "sick", "well")
    shares = [np.bincount(y, minlength=3)[1:] / len(y) for y in (prepared.y_train, prepared.y_test)]
    np.testing.assert_allclose(*shares, atol=0.02)
    assert len(prepared.y_test) == 60
    few = prepare(frame[:20], {"part": "ignored"})
    assert len(few.y_test) == 6


def test_copies_are_left_out_unless_all_features_are_categories(frame):
    doubled = pd.concat([frame, frame[:50]], ignore_index=True)
    prepared = prepare(doubled, {"part": "ignored"})
    assert len(prepared.y_train) + len(prepared.y_test) == N
    assert prepared.notes == ("50 rows that equal another row are left out.",)
    assert len(prepare(doubled, {"part": "ignored"}, drop_duplicates=False).notes) == 0
    other = doubled.assign(**{"class": np.where(np.arange(len(doubled)) < N, doubled["class"], "other")})
    assert not prepare(other, {"part": "ignored"}).notes
    roles = dict.fromkeys(("x", "y", "born", "part"), "ignored")
    assert not prepare(frame, roles, {"count": "category"}).notes


def test_labels_are_classes_in_the_order_of_their_numbers(frame):
    label = np.resize(np.array([10, 9, 2, np.nan]), N)
    for type in ("number", "category"):
        prepared = prepare(frame.assign(**{"class": label}), types={"class": type})
        assert prepared.target_names == ("2", "9", "10")
        y = np.concatenate([prepared.y_train, prepared.y_test])
        assert np.bincount(y + 1).tolist() == [75, 75, 75, 75]
    for type, what in (("number", "300 different numbers"), ("date", "different dates")):
        values = frame["x"] if type == "number" else frame["born"]
        with pytest.raises(BadInput, match=what):
            prepare(frame.assign(**{"class": values}), types={"class": type})
    names = np.array([f"c{k}" for k in range(N)], object)
    with pytest.raises(BadInput, match="join classes"):
        prepare(frame.assign(**{"class": names}))


def test_feature_names_are_different(frame):
    prepared = prepare(frame.assign(**{"y: missing": frame["x"] * 2}), types={"y: missing": "number"})
    names = [feature.name for feature in prepared.features]
    assert len(set(names)) == len(names)
    assert list(prepared.to_frame(prepared.X_test)) == ["x", "y", "count", "born", "colour", "y: missing"]


def test_pca_of_the_rows_is_scikit_learns_own_pipeline():
    from sklearn.datasets import load_wine
    from sklearn.pipeline import make_pipeline

    X = load_wine(as_frame=True).data
    table = X.assign(part=np.where(np.arange(len(X)) % 5 == 0, "test", "train"))
    types = dict.fromkeys(X, "number")
    prepared = prepare(table, {"part": "split"}, types, drop_duplicates=False)
    is_test = (table["part"] == "test").to_numpy()
    pipeline = make_pipeline(StandardScaler(), PCA(2, svd_solver="full")).fit(X[~is_test])
    own = PCA(2, svd_solver="full").fit(prepared.X_train).transform(prepared.X_test)
    np.testing.assert_allclose(np.abs(own), np.abs(pipeline.transform(X[is_test])), rtol=1e-4, atol=1e-5)


def test_numbers_beyond_float32_are_refused(frame):
    x = np.where(np.arange(N) % 50 == 0, 1e38, np.arange(N) * 1e-3)
    with pytest.raises(BadInput, match="too large"):
        prepare(frame.assign(x=x), scale="robust")
    assert np.isfinite(prepare(frame.assign(x=x)).X_train).all()


def test_table_that_memory_can_not_hold_is_refused(frame, monkeypatch):
    assert 10 < memory.available_megabytes() < 1e7
    monkeypatch.setattr(memory, "available_megabytes", lambda: 0.01)
    with pytest.raises(BadInput, match=r"300 rows of \d+ columns need 0 MB"):
        prepare(frame)


def test_column_that_is_not_in_the_file_is_named(frame):
    with pytest.raises(BadInput, match="no column x"):
        preparation.prepare(Table(frame.drop(columns="x")), make(frame))
    with pytest.raises(BadInput, match="No feature is left"):
        prepare(frame, dict.fromkeys(("x", "y", "count", "born", "colour"), "ignored"))


def test_recipe_is_the_same_after_json(frame):
    made = make(frame, missing="drop", seed=3)
    again = recipe.parse_recipe(json.loads(made.model_dump_json()))
    assert (again, again.digest) == (made, made.digest)
    assert make(frame, missing="drop", seed=4).digest != made.digest


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from([*recipe.Recipe.model_fields, "else"]), value=JSON)
def test_hostile_recipe_is_refused_in_a_sentence(frame, field, value):
    document = make(frame).model_dump(mode="json") | {field: value}
    with suppress(BadInput):
        parsed = recipe.parse_recipe(document)
        assert recipe.parse_recipe(json.loads(parsed.model_dump_json())) == parsed


def test_recipe_of_doubtful_columns_is_refused():
    column = {"name": "x", "type": "number", "role": "feature"}
    label = {"name": "a", "type": "category", "role": "label"}
    for parts, match in (([column, column], "named twice"), ([label, label | {"name": "b"}], "role label")):
        with pytest.raises(BadInput, match=match):
            recipe.parse_recipe({"columns": parts})


def test_test_rows_without_variation_are_refused():
    part = ["train"] * 20 + ["test"] * 10
    numbers = pd.DataFrame({"a": [*range(20), *[1] * 10], "part": part})
    frame = pd.DataFrame({"a": list("xy") * 10 + ["z"] * 10, "b": list("uuvv") * 5 + ["w"] * 10, "part": part})
    for rows, kind, what in ((numbers, "number", "number or date"), (frame, "category", "category of the train rows")):
        with pytest.raises(BadInput, match=f"No {what} .* among the test rows"):
            preparation.check_test_rows(prepare(rows, types={"a": kind}, drop_duplicates=False))


def test_cells_have_the_digits_that_tell_them_apart():
    cells = {(45.46478, 0.04): "45.465", (1500.25, 0.1): "1500.25", (1957.0, 17): "1957", (29.85431, 8): "29.85"}
    cells |= {(12345.678, 9000): "12,346", (0.004455, 0.003): "0.004455", (2.5, np.inf): "2.5"}
    assert {cell: preparation.format_cell(*cell) for cell in cells} == cells
