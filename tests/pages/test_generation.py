"""Generation: samples, interpolation and arithmetic, on small runs."""

import io
import re
from unittest.mock import Mock

import numpy as np
import pytest

from core import datasets, methods
from core.analysis import feature_space, samplers
from core.analysis.codes import to_pixels
from core.datasets import checksums
from core.errors import DataUnavailable
from core.figures import generated_samples
from core.metrics import memorization
from core.runs import reader, specs, store
from core.types import IMAGES, Dataset, Measurement
from pages.ui.generation import sample_scores, samples
from pages.ui.generation.run_samplers import RunSampler
from pages.ui.shared import cached, image_grid, stored_runs
from tests.pages.conftest import HOSTILE, clear_caches, fit, invert_quickly, stored
from tests.pages.driver import opened_on

PAGE = "pages/generation.py"
MINE = ("samples", "between", "arithmetic")
KINDS = {"AE, N(0, I) raw": "normal", "AE, N(0, I) scaled": "standardised", "AE, one Gaussian": "gaussian"}
KINDS |= {"AE, mixture": "mixture"}
pytestmark = pytest.mark.usefixtures("computed")


def page(section="samples", **query):
    return opened_on(PAGE, **{"data": "digits", "size": "10", "section": section, **query})


def cards(app) -> list[str]:
    """Labels of the sheets shown, in their order."""
    labels = [button.label for button in app.button if button.label.startswith("Enlarge: ")]
    return [re.fullmatch(r"Enlarge: (.*), with the nearest training images", label).group(1) for label in labels]


def estimator(method: str):
    return reader.read_estimator(store.find_place(stored(method).key))


def offered_rows(app, name: str) -> list[int]:
    return [int(b.label.split()[-1]) for b in app.button if b.key and re.fullmatch(rf"{PAGE}:{name}-\d+", b.key)]


def test_sections_open_and_their_links_open_the_same(runs):
    for section in (*MINE, "manifold", "sliders"):
        app = page(section)
        again = page(**app.query())
        assert not [*app.error, *app.warning, *again.warning], section
        assert again.query() == app.query()


def test_nonsense_in_a_link_is_a_sentence(runs):
    names = {"samples": "seed temperature truncation", "between": "from to draw path", "arithmetic": "minus plus row"}
    for section in MINE:
        app = page(section, **dict.fromkeys(names[section].split(), HOSTILE))
        assert len(app.warning) > 1
        assert not app.error
        assert "<img src=x" not in app.read_html()
    page(data="docstrings").expect("has no images")


def test_samples_are_what_the_stored_sampler_and_decoder_make(runs, monkeypatch):
    downloads = {}
    record = lambda label, data, file_name, *_, **__: downloads.update({label: (data, file_name)})
    monkeypatch.setattr(samples.st, "download_button", record)
    app = page(seed="7", temperature="0.8", truncation="2")
    assert not app.warning
    assert cards(app) == ["PCA, one Gaussian", *KINDS, "GAN, prior"]
    assert "Train VAE" in app.links()
    make, name = downloads["Save NPZ"]
    assert name == "samples-digits-10d-seed7.npz"
    saved, run, fitted = np.load(io.BytesIO(make()), allow_pickle=False), stored("pca"), estimator("pca")
    Z = samplers.restore_sampler(run, "gaussian", fitted).sample(32, 7, temperature=0.8, truncation=2.0)
    np.testing.assert_allclose(saved["pca_gaussian_codes"], Z, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(saved["pca_gaussian_images"], to_pixels(fitted.inverse_transform(Z)))
    assert (saved["pca_gaussian_run"], *saved["image_shape"]) == (run.key, 8, 8)
    assert (saved["seed"], saved["temperature"], saved["truncation"]) == (7, 0.8, 2.0)
    names = {name.removesuffix("_codes") for name in saved if name.endswith("_codes")}
    assert names == {"pca_gaussian", "gan_normal", *(f"ae_{kind}" for kind in KINDS.values())}


def test_scores_are_shown_with_interval_and_n(runs):
    app, score = page(), stored("pca").metrics["frechet"]
    low, high = score.interval
    app.expect(f'{score.value:.2f} <span class="hg-note">({low:.2f} to {high:.2f})', "n = 500", "Training images")
    app.expect("16-D, independent of the size chosen above")
    page(temperature="0.5").expect("Scores are for temperature 1 without truncation")


def sampler(method: str, kind: str, value: float, off: float = 0.1, size: int = 10) -> RunSampler:
    """A sampler with this Fréchet distance, `off` to either end of its interval."""
    prefix = "" if kind == methods.entry(method).samplers[0] else f"{kind}."
    metrics = {f"{prefix}frechet": Measurement(value, value - off, value + off)}
    spec = specs.make("digits", method, {"n_components": size})
    run = store.Run(spec, [], metrics, {"image_shape": [8, 8]}, {}, {}, None)
    return RunSampler(stored_runs.Line(method, method, run=run, stamp=("", 0)), kind)


def test_findings_name_the_lowest_distance_and_compare_mixture_and_prior():
    findings = lambda *samplers: sample_scores.describe_findings(samplers, 10)
    gan = sampler("gan", "normal", 4.44, size=16)
    assert findings(sampler("ae", "mixture", 2.0), sampler("vae", "normal", 5.0), sampler("pca", "gaussian", 50)) == (
        "Lowest Fréchet distance: AE, mixture (2.00), significantly lower than all others. The AE with a mixture "
        "fitted after training is significantly better than the VAE with its prior (2.00 against 5.00)."
    )
    tied = findings(sampler("ae", "mixture", 2.0, 1), sampler("vae", "normal", 3.0, 1), gan)
    assert tied == "Lowest Fréchet distances: AE, mixture and VAE, prior (2.00 to 3.00), not significantly different."
    best = findings(sampler("ae", "mixture", 9.0, 1), sampler("vae", "normal", 8.0, 1), gan)
    assert best.startswith("Lowest Fréchet distance: GAN, prior 16-D (4.44)")
    assert "VAE with its prior is not significantly different from the AE with a mixture" in best
    gan.line.run.metrics["frechet_floor"] = Measurement(3.0, 2.0, 4.0)
    gan.line.run.environment["kind"] = "images"
    below = "Training images in their place have 3.00: a distance below that is no better."
    assert below in findings(gan, sampler("ae", "mixture", 2.0))
    assert below not in findings(gan)


def test_an_enlarged_sheet_shows_the_nearest_training_images(runs, monkeypatch):
    fitted, digits = estimator("ae"), datasets.load("digits")
    Z = samplers.restore_sampler(stored("ae"), "mixture", fitted).sample(32, 3)
    images = to_pixels(fitted.inverse_transform(Z)) / 255.0
    distances = np.linalg.norm(images[:, None] - digits.floats("train")[None], axis=2)
    rows = distances.argmin(1)
    alt = 'alt="Sample {} above training row {}, distance {:.2f}"'
    alts = [alt.format(k + 1, rows[k], distances[k].min()) for k in (0, 17, 31)]
    app = page(seed="3").press("open-ae-mixture").expect(*alts)
    assert app.get("dialog")
    copies = np.zeros((32, 10), np.float32), digits.X_train[:32]
    monkeypatch.setattr(RunSampler, "draw_samples", lambda self, how, count=32: copies)
    clear_caches()
    page(seed="3").press("open-ae-mixture").expect("Near-duplicates: 32 of 32.")
    monkeypatch.setattr(cached.datasets, "is_available", lambda name: False)
    page().press("open-ae-mixture").expect("not on this machine yet")


def test_class_shares_and_distances_are_those_of_the_data(runs, monkeypatch):
    given = {}
    for name in ("plot_class_shares", "plot_nearest_distances"):
        real = getattr(generated_samples, name)
        watched = lambda *args, name=name, real=real: given.update({name: args}) or real(*args)
        monkeypatch.setattr(generated_samples, name, watched)
    page().set_state("classes").set_state("memory")
    digits = datasets.load("digits")
    (shares, of_data, *_), (distances, of_test, *_) = given.values()
    assert set(shares) == set(distances) == {"PCA, one Gaussian", *KINDS, "GAN, prior"}
    assert of_data == pytest.approx({str(c): (digits.y_test == c).mean() for c in range(10)})
    assert all(sum(of_sampler.values()) == pytest.approx(1) for of_sampler in shares.values())
    expected = memorization.nearest_training_rows(digits.floats("test"), digits.X_train).distances[:, 0]
    np.testing.assert_allclose(of_test, expected, atol=1e-5)


@pytest.fixture
def rewrite(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """Stores changed copies of the 10-D runs of some methods; they are all that is stored."""

    def rewrite(change, *names: str):
        for method in names:
            monkeypatch.setenv("HOURGLASS_RUNS", str(fitted))
            run = stored(method)
            weights = reader.read_weights(run.place)
            change(run)
            store.write_run(run, weights, tmp_path)
        monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
        clear_caches()
        return page().set_state("memory").set_state("classes")

    return rewrite


def remove(*prefixes: str, run) -> None:
    for held in (run.views, run.metrics, run.by_class):
        for name in [name for name in held if name.startswith(prefixes)]:
            del held[name]


def test_a_run_without_some_scores_or_views_shows_the_rest(rewrite):
    app = rewrite(lambda run: remove("sampler.", "nearest.", run=run), "ae", "pca")
    assert cards(app) == ["AE, N(0, I) raw"]
    reason = "AE with N(0, I) scaled, one Gaussian and mixture is not shown: This run holds no fitted distribution"
    app.expect(reason, "These runs hold no distances")
    app = rewrite(lambda run: remove("copies", "labels", "frechet_floor", "class_shares", run=run), "ae", "pca")
    assert cards(app) == ["PCA, one Gaussian", *KINDS]


def test_hostile_words_of_a_run_are_escaped(rewrite):
    hostile = {"features": HOSTILE, "target_names": [HOSTILE] * 10}
    app = rewrite(lambda run: (run.notes.update(hostile), run.by_class.update(class_shares={HOSTILE: 1.0})), "pca")
    assert all("<img src=x" not in shown.read_html() for shown in (app, *map(page, MINE)))


def test_without_runs_training_is_offered(no_shipped_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    for section in MINE:
        assert "Train PCA" in page(section).expect("trained on Digits 8x8 at").links()


def test_data_that_are_unreadable_or_missing(runs, monkeypatch):
    damaged = Mock(side_effect=DataUnavailable("It is damaged; remove it."))
    monkeypatch.setattr(cached.datasets, "load", damaged)
    page("between").expect("It is damaged; remove it.")
    monkeypatch.setattr(cached.datasets, "is_available", lambda name: False)
    assert len(cards(page())) == 6
    assert any(label.startswith("Download") for label in page("arithmetic").labels())


def test_data_without_classes_or_without_a_classifier(no_shipped_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(cached.datasets, "is_available", lambda name: True)
    monkeypatch.setattr(checksums, "make_stamp", lambda name: "made up")

    def use(name: str, y: np.ndarray, names: tuple[str, ...], shape: tuple[int, int]) -> dict[str, str]:
        images = np.random.default_rng(0).integers(0, 256, (80, shape[0] * shape[1])).astype(np.uint8)
        data = Dataset(name, IMAGES, images, y, images[:40], y[:40], names, "none", "none", image_shape=shape)
        monkeypatch.setattr(cached.datasets, "load", lambda name, **params: data)
        fit(tmp_path, data, "pca", {"n_components": 2}, first_only=name == "olivetti")
        return {"data": name, "size": "2"}

    query = use("frey", np.full(80, -1), (), (28, 20))
    assert cards(page(**query).expect("principal components")) == ["PCA, one Gaussian"]
    page("between", **query).expect("<b>PCA</b>")
    page("arithmetic", **query).expect("Frey faces has no class labels")
    query = use("olivetti", np.arange(80) % 4, (HOSTILE, "<b>b</b>", "c", "d"), (64, 64))
    for section in MINE:
        app = page(section, **query)
        assert not app.error
        assert not re.search("<img src=x|<b>b</b>", app.read_html())
    app.expect("Mean codes of 10 and 10 test images").lack("classifier")


@pytest.fixture
def strips(monkeypatch):
    """What returns the images of each strip along a path, in the order in which they were drawn."""
    watched = Mock(wraps=image_grid.make_pictures)
    monkeypatch.setattr(image_grid, "make_pictures", watched)
    return lambda: [np.asarray(c.args[0]) for c in watched.call_args_list if c.args[3] == "Images along the path"]


def test_interpolation_decodes_the_path_between_two_codes(runs, strips):
    app = page("between", **{"from": "12", "to": "345"})
    assert not app.warning
    digits, fitted = datasets.load("digits"), estimator("pca")
    mixed, pca, *_ = line = strips()
    assert len(line) == 4  # mixed pixels, PCA, linear AE, AE
    X = digits.floats("test")[[12, 345]]
    np.testing.assert_array_equal(mixed[[0, -1]], digits.X_test[[12, 345]])
    np.testing.assert_array_equal(mixed[5], to_pixels(X.mean(axis=0, keepdims=True))[0])
    Z = fitted.transform(X)
    expected = to_pixels(fitted.inverse_transform(np.linspace(Z[0], Z[1], 11)))
    assert np.abs(pca.astype(int) - expected).max() <= 1
    space = feature_space.load_classifier_space("digits", (8, 8))
    for images in line[1:]:
        app.expect("".join(f"<div>{label}</div>" for label in space.classes(images / 255)))
    page("between", path="arc", **{"from": "12", "to": "345"})
    arc = strips()[5]
    assert np.abs(pca[[0, -1]].astype(int) - arc[[0, -1]]).max() <= 1
    assert not np.array_equal(pca[5], arc[5])


def test_interpolation_rows_are_chosen_by_click_and_resampled_and_a_gan_is_inverted(runs, monkeypatch):
    invert_quickly(monkeypatch)
    app = page("between")
    numbers = offered_rows(app, "from")
    assert datasets.load("digits").y_test[numbers].tolist() == list(range(10))
    assert (app.query()["from"], app.query()["to"]) == (str(numbers[2]), str(numbers[7]))
    assert app.press("from-4").query()["from"] == str(numbers[4])
    assert offered_rows(page("between", **{"from": "12"}), "from")[0] == 12
    assert app.press("others").query()["draw"] == "1"
    assert offered_rows(app, "from") != numbers
    app.press("invert").expect("GAN inversion: regressor + 4 gradient steps")


def test_arithmetic_adds_the_difference_of_class_means(runs, strips):
    digits, fitted = datasets.load("digits"), estimator("pca")
    y = digits.y_test
    at = int(np.flatnonzero(y == 3)[5])
    app = page("arithmetic", minus="3", plus="8", row=str(at))
    assert not app.warning
    Z = fitted.transform(digits.floats("test"))
    direction, amounts = Z[y == 8].mean(axis=0) - Z[y == 3].mean(axis=0), np.linspace(0, 1.5, 7)[:, None]
    np.testing.assert_array_equal(strips()[0][0], digits.X_test[at])
    expected = to_pixels(fitted.inverse_transform(Z[at] + amounts * direction))
    assert np.abs(strips()[0][1:].astype(int) - expected).max() <= 1
    app.expect(f"Mean codes of {(y == 8).sum()} and {(y == 3).sum()} test images")
    space, n = feature_space.load_classifier_space("digits", (8, 8)), (y == 3).sum()
    for codes, after in ((Z[y == 3] + direction, rf" of {n} predicted as 8"), (Z[y == 3], " without the difference")):
        share = (space.classes(to_pixels(fitted.inverse_transform(codes)) / 255.0) == 8).mean()
        found = re.search(rf"(\d+)% \(\d+% to \d+%\){after}", app.read_text())
        assert float(found.group(1)) == pytest.approx(100 * share, abs=1.5)


def test_arithmetic_offers_two_different_classes_and_rows_of_the_first(runs):
    y = datasets.load("digits").y_test
    app = page("arithmetic", minus="9", plus="9").expect("The link asks for the plus “9”. It must be one of 0, 1,")
    assert app.query()["plus"] == "8"
    app.fill("From class", "6")
    assert (y[[*offered_rows(app, "row"), int(app.query()["row"])]] == 6).all()
    other = int(np.flatnonzero(y == 5)[0])
    assert y[int(page("arithmetic", minus="3", plus="8", row=str(other)).query()["row"])] == 3
