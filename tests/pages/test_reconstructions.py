"""Reconstructions: images, error by class and broken input, on small runs; links that ask for nonsense; broken runs."""

import re
import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import cache, computing, datasets, experiments, inversion, maps, rebuilding, specs, store
from core.figures import differences
from core.types import IMAGES, Dataset, DataUnavailable
from pages.ui import by_class, damaged, inverted, loaded, rebuilders, rebuilt
from tests.pages.conftest import fit, opened_on, shown_text

PAGE = "pages/reconstructions.py"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    """What is computed is kept in a folder of the test's own, and found there only."""
    folder = tmp_path_factory.mktemp("computed")
    monkeypatch.setattr(cache, "folder", lambda: folder)
    forget()
    yield folder
    forget()


def forget() -> None:
    for door in (
        loaded.dataset,
        loaded.rows_of,
        loaded.estimator,
        rebuilders._errors,
        rebuilders._rebuilt,
        by_class._compared,
        by_class._labels,
        damaged._kept,
        damaged._summary,
        inverted._key,
        inverted._inverter,
        inverted._kept,
    ):
        door.clear()


def page(**query: str) -> AppTest:
    return opened_on(PAGE, **{"data": "digits", "size": "10", **query})


def text(app: AppTest) -> str:
    """What is on the page, as people read it."""
    return f"{shown_text(app)}\n{said(app)}".replace("\\", "")


def said(app: AppTest) -> str:
    parts = (*app.warning, *app.error, *app.info, *app.caption)
    return "\n".join(each.value for each in parts).replace("\\", "")


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def shown_rows(app: AppTest) -> list[int]:
    """Numbers of the rows on the page, in their order."""
    labels = [button.label for button in app.button if button.label.startswith("Enlarge")]
    return [int(label.split()[-1]) for label in labels]


def digits() -> Dataset:
    return datasets.load("digits")


def errors_of(method: str, folder) -> np.ndarray:
    run = store.pick(store.index()[0], "digits", method, 10)[0]
    return store.read(folder / run.key).views["rows.squared_error"]


# --- Images -------------------------------------------------------------------------------------------------------


def test_one_row_of_each_class_and_a_line_a_method(runs):
    app = page()
    assert not app.exception
    y = digits().y_test
    assert y[shown_rows(app)].tolist() == list(range(10))
    for label in ("Originals", "PCA", "Linear AE", "AE"):
        assert f"<b>{label}</b>" in text(app)
    assert "Not trained yet at this code size: VAE." in text(app)
    (link,) = (each for each in app.get("page_link") if each.proto.label == "Train VAE")
    assert "method=vae" in link.proto.query_string


def test_means_are_those_of_the_rows_shown_and_of_all(runs):
    app = page()
    errors = errors_of("pca", runs)
    assert f"error {errors[shown_rows(app)].mean():.2f} on these 10" in text(app)
    assert f"{errors.mean():.2f} on all {len(errors)}" in text(app)


def test_other_rows_are_drawn_and_stay_in_the_link(runs):
    app = page()
    first = shown_rows(app)
    app.button(key=f"{PAGE}:others").click().run()
    assert query(app)["draw"] == "1"
    second = shown_rows(app)
    assert first != second
    assert "seed 1" in text(app)
    assert shown_rows(page(draw="1")) == second


def test_worst_and_best_are_of_the_method_chosen(runs):
    for method in ("pca", "ae"):
        errors = errors_of(method, runs)
        assert shown_rows(page(pick="worst", by=method)) == rebuilding.worst(errors, 10).tolist()
        assert shown_rows(page(pick="best", by=method)) == rebuilding.best(errors, 10).tolist()


def test_disagreement_is_signed_and_needs_two_methods(runs):
    app = page(pick="apart", by="pca", than="ae")
    a, b = errors_of("pca", runs), errors_of("ae", runs)
    expected = [*np.argsort(a - b, kind="stable")[:5]]
    assert shown_rows(app)[:5] == expected
    assert "PCA better than AE by most" in text(app)
    assert f"has the smaller error on {(a < b).sum()}" in text(app)
    # The same method twice is no choice.
    assert "PCA better than PCA" not in text(page(pick="apart", by="pca", than="pca"))


def test_error_pictures_share_one_scale(runs, monkeypatch):
    limits, values = [], []
    real = differences.montage

    def watched(off, shape, columns, limit, theme, **kwargs):
        limits.append(limit)
        values.append(np.abs(off).max())
        return real(off, shape, columns, limit, theme, **kwargs)

    monkeypatch.setattr(rebuilt.differences, "montage", watched)
    assert "Error pictures, reconstruction minus original" not in text(page())
    assert not limits
    app = page(errors="on")
    assert len(limits) == 2 * 3  # two blocks of three methods
    assert len(set(limits)) == 1
    assert limits[0] - 0.1 < max(values) <= limits[0] + 1e-6
    assert f"+{limits[0]:.1f}" in text(app)


def test_a_column_opens_large_with_errors_and_ranks(runs):
    app = page()
    k = shown_rows(app)[3]
    app.button(key=f"{PAGE}:rebuilt-3").click().run()
    assert not app.exception
    assert app.get("dialog")
    errors = errors_of("pca", runs)
    assert f"Row {k} of the test split, class {digits().target_names[3]}" in text(app)
    assert f"rank {(errors < errors[k]).sum() + 1} of {len(errors)}" in text(app)


def test_a_link_that_asks_for_nonsense_is_answered_in_words(runs):
    app = page(
        section="<b>x</b>", pick="1 of 2", draw="-1e9", by="lsa", errors="perhaps", size="9999", data="digits", than="^"
    )
    assert not app.exception
    assert len(shown_rows(app)) == 10
    app = page(pick="worst", by="<script>stray", draw="9" * 5000)
    assert not app.exception
    assert "<script>stray" not in shown_text(app)
    app = page(draw="x")
    assert "no whole number from 0 to 9999" in said(app)


def test_documents_are_not_offered(runs):
    app = page(data="docstrings")
    assert not app.exception
    assert "has no images" in said(app)


def test_without_a_run_there_are_still_images_and_an_offer(no_shipped_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    for section in ("images", "classes", "damage"):
        app = page(section=section)
        assert not app.exception
        assert "is trained at this code size yet" in text(app)
        assert any(each.proto.label == "Train PCA" for each in app.get("page_link"))


@pytest.fixture
def broken(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """PCA and a linear autoencoder whose weights are cut off."""
    folder = tmp_path / "broken"
    for method, params in (("pca", {}), ("linear_ae", {"epochs": 2})):
        key = specs.make("digits", method, {"n_components": 10, **params}).key
        shutil.copytree(fitted / key, folder / key)
    weights = folder / key / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    return folder


@pytest.mark.parametrize("section", ["images", "classes", "damage"])
def test_a_broken_run_is_one_sentence_and_the_others_go_on(broken, section):
    app = page(section=section)
    assert not app.exception
    assert "PCA" in text(app)
    if section != "classes":  # whose errors are read, not computed
        assert "Linear AE is not shown:" in said(app)


def test_a_run_of_another_copy_of_the_data_is_left_out_in_words(runs, monkeypatch):
    real = maps.check_same_data

    def another(run, rows):
        if run.spec.method == "ae":
            object.__setattr__(rows, "checksum", "0" * 64)
        real(run, rows)

    monkeypatch.setattr(rebuilders.maps, "check_same_data", another)
    app = page()
    assert "AE is not shown: It was trained on another copy of the data" in said(app)
    assert "<b>PCA</b>" in text(app)


# --- Data without classes, data that are not here -----------------------------------------------------------------


@pytest.fixture
def faces(no_shipped_runs, tmp_path, monkeypatch):
    """Images without classes, and PCA on them."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (120, 560)).astype(np.uint8)
    none = np.full(120, -1)
    bare = Dataset(
        "frey",
        IMAGES,
        images,
        none,
        images[:60],
        none[:60],
        (),
        "none",
        "none",
        image_shape=(28, 20),
        redistributable=False,
    )
    monkeypatch.setattr(loaded.datasets, "load", lambda name, **params: bare)
    monkeypatch.setattr(loaded.datasets, "available", lambda name: True)
    fit(tmp_path, bare, "pca", {"n_components": 2})
    fit(tmp_path, bare, "linear_ae", {"n_components": 2, "epochs": 1})
    return monkeypatch


def test_data_without_classes(faces):
    app = page(data="frey", size="2")
    assert not app.exception
    assert len(set(shown_rows(app))) == 10
    assert "this data set has no classes" in text(app)
    app = page(data="frey", size="2", section="classes")
    assert not app.exception
    assert "comes without classes" in text(app)
    assert len(app.get("plotly_chart")) == 1
    app = page(data="frey", size="2", section="damage")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


def test_data_that_are_not_here_are_offered_and_what_the_runs_hold_is_shown(faces):
    faces.setattr(loaded.datasets, "available", lambda name: False)
    app = page(data="frey", size="2")
    assert not app.exception
    assert "Frey faces are not on this machine yet" in said(app) or "is not on this machine yet" in said(app)
    assert "the originals are shown once the data are here" in text(app)
    assert "<b>PCA</b>" in text(app)
    app = page(data="frey", size="2", section="classes")
    assert "comes without classes" in text(app)
    app = page(data="frey", size="2", section="damage")
    assert not app.exception
    assert "not here yet" in text(app)


def test_data_that_can_not_be_read_are_said_to_be(runs, monkeypatch):
    def unreadable(name, **params):
        raise DataUnavailable("It is damaged; remove it.")

    monkeypatch.setattr(loaded.datasets, "load", unreadable)
    for section in ("images", "classes", "damage"):
        app = page(section=section)
        assert not app.exception
        assert "It is damaged; remove it." in said(app)


def test_without_the_data_classes_are_those_stored_with_the_runs(runs, monkeypatch):
    monkeypatch.setattr(loaded.datasets, "available", lambda name: False)
    app = page(section="classes")
    assert not app.exception
    assert "whose class is stored with the runs" in text(app)
    assert len(app.get("plotly_chart")) == 2


# --- Error by class -----------------------------------------------------------------------------------------------


def test_the_hardest_class_is_that_of_the_numbers(runs):
    app = page(section="classes")
    assert not app.exception
    y, names = digits().y_test, digits().target_names
    for method, label in (("pca", "PCA"), ("ae", "AE")):
        errors = errors_of(method, runs)
        means = [errors[y == c].mean() for c in range(10)]
        assert re.search(rf"{names[int(np.argmax(means))]} for [^;]*{label}", text(app))
        assert f"{max(means):.2f}" in text(app)
    # In the caption: what they are is no headline.
    assert "30 such intervals, one a class and pair" in said(app)


def test_what_a_network_gains_on_pca_is_told_of_the_extreme_classes(runs):
    y, names = digits().y_test, digits().target_names
    ae, pca = errors_of("ae", runs), errors_of("pca", runs)
    shares = [ae[y == c].mean() / pca[y == c].mean() for c in range(10)]
    app = page(section="classes")
    (told,) = re.findall(r"What the AE gains on PCA .*", text(app))
    for share in (min(shares), max(shares)):
        assert f"{share:.0%} (".replace("%", " %") in told
        assert f"on {names[shares.index(share)]}" in told
    assert "those of all 10 classes hold at once" in said(app)


def test_errors_by_class_are_resampled_once_and_kept(runs, own_cache, monkeypatch):
    assert not page(section="classes").exception
    assert len(list(own_cache.glob("classes-*"))) == 1

    def again(*args, **kwargs):
        raise AssertionError("resampled again")

    monkeypatch.setattr(by_class.rebuilding, "resampled", again)
    forget()
    assert not page(section="classes").exception


def test_classes_are_sorted_and_the_table_has_n(runs):
    app = page(section="classes", order="hard")
    app.session_state[f"{PAGE}:class-table"] = True
    app.run()
    assert not app.exception
    y, errors = digits().y_test, errors_of("pca", runs)
    hardest = max(range(10), key=lambda c: errors[y == c].mean())
    rows = re.findall(r'<th scope="row">(\S+) <span class="hg-note">n = (\d+)', text(app))
    assert rows[0] == (str(hardest), str((y == hardest).sum()))
    assert len(rows) == 10


def test_the_distribution_of_a_class(runs):
    app = page(section="classes", **{"of-class": "3"})
    assert not app.exception
    errors = errors_of("pca", runs)[digits().y_test == 3]
    assert f"PCA {np.median(errors):.2f}" in text(app)
    assert f"{len(errors)} images" in text(app)
    app = page(section="classes", **{"of-class": "11"})
    assert "which is none here" in said(app)


# --- Broken input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", damaged.KINDS)
def test_damage_is_measured_once_and_kept(runs, own_cache, monkeypatch, kind):
    app = page(section="damage", damage=kind)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    for label in ("Whole", "Damaged", "PCA", "Linear AE", "AE"):
        assert f"<b>{label}</b>" in text(app)
    assert "Better than doing nothing" in text(app)
    assert len(list(own_cache.glob("damaged-*"))) == 4

    def again(*args, **kwargs):
        raise AssertionError("measured again")

    monkeypatch.setattr(damaged.damage, "errors", again)
    forget()
    app = page(section="damage", damage=kind)
    assert not app.exception
    assert "Better than doing nothing" in text(app)


def test_the_amount_of_damage_is_in_the_link(runs):
    app = page(section="damage", damage="shift", **{"amount-shift": "3"})
    assert not app.exception
    assert "at 3 pixels" in text(app)
    app = page(section="damage", damage="noise", **{"amount-noise": "0.33"})
    assert not app.exception
    assert "“0.33”, which is not measured" in said(app)


def test_the_first_paragraph_is_about_the_amount_chosen(runs):
    app = page(section="damage", damage="noise", **{"amount-noise": "0.5"})
    (told,) = (each.value.replace("\\", "") for each in app.markdown if "damaged images" in each.value)
    rows = loaded.rows_here(datasets.entry("digits"), datasets.entry("digits").default_params, [], n=500)
    broken = damaged.KINDS["noise"].apply(rows.floats(), rows.image_shape, 0.5, 0)
    nothing = np.square(rows.floats() - broken).sum(1).mean()
    assert re.search(rf"With noise of 0.5 .* nearest, .*; doing nothing leaves {nothing:.2f}", told)
    assert "from" not in told.split("With noise of 0.5")[1]
    app = page(section="damage", damage="noise", **{"amount-noise": "0"})
    assert "With noise of 0 nothing is damaged, so doing nothing leaves 0.000." in text(app)


def test_whole_images_are_best_left_alone(runs):
    app = page(section="damage", damage="black")
    # Of an image without damage nothing is to be gained, so no method is better at every amount.
    assert "at every amount;" not in text(app).split("Better than doing nothing")[1].split("Nearest")[0]


# --- The GAN ------------------------------------------------------------------------------------------------------


def test_a_gan_without_a_regressor_offers_to_fit_one(runs):
    app = page()
    assert "It has no encoder" in text(app)
    assert [b.label for b in app.button if "regressor" in b.label] == [
        "Fit a regressor, so that the GAN can be inverted"
    ]


def test_a_gan_is_inverted_on_demand_and_that_is_kept(runs, monkeypatch):
    def quick(run_key, gan):
        return inversion.GANInverter(gan, n_steps=4, fit_steps=4).fit()

    monkeypatch.setattr(inversion, "load", quick)
    app = page()
    button = app.button(key=f"{PAGE}:invert")
    app = button.click().run()
    assert not app.exception
    assert "by inversion: regressor + 4 gradient steps an image" in text(app)
    assert "its code has 16 numbers, whatever is chosen above" in text(app)
    assert not [b for b in app.button if b.label.startswith("Invert")]
    app = page()
    assert "by inversion: regressor + 4 gradient steps an image" in text(app)
    app.button(key=f"{PAGE}:rebuilt-0").click().run()
    assert "by inversion, which gives no rank" in text(app)


def test_the_fit_of_a_regressor_is_watched_and_can_be_stopped(runs, monkeypatch):
    stopped = []
    monkeypatch.setattr(inversion, "state", lambda name: computing.State(share=0.3))
    monkeypatch.setattr(inversion, "stop", stopped.append)
    app = page()
    assert not app.exception
    assert not [b for b in app.button if "regressor" in b.label]
    app.button(key=f"{PAGE}:stop-regressor").click().run()
    assert len(stopped) == 1
    monkeypatch.setattr(inversion, "state", lambda name: computing.State(problem="It failed; make it again."))
    app = page()
    assert "It failed; make it again." in said(app)
    assert [b for b in app.button if "regressor" in b.label]


def test_rows_are_those_of_the_copy_of_the_data_that_the_runs_were_fitted_to(
    full_data, tmp_path, no_shipped_runs, monkeypatch
):
    spec = specs.make("olivetti", "pca", {"n_components": 2}, 0, {"held_out": "people", "fold": 1})
    experiments.fit_and_store(spec, experiments.load_dataset(spec), tmp_path)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = opened_on("pages/reconstructions.py", data="olivetti", size="2")
    assert not app.exception
    assert "another copy" not in shown_text(app)
    assert "all 80 test rows" in shown_text(app)
    assert "rebuilt by PCA" in shown_text(app)
