"""Generation under AppTest: samples, paths and sums on small runs; links that ask for nonsense; runs and data that are
not what they should be."""

import ast
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import cache, datasets, generating, inversion, maps, specs, store
from core.figures import generated
from core.metrics import memory
from core.types import IMAGES, Dataset, DataUnavailable
from core.views import pixels
from pages.ui import between, inverted, loaded, rebuilders, runs, sampled
from tests.pages.conftest import HOSTILE, ROOT, fit, opened_on, shown_text

PAGE = "pages/generation.py"
# A page is a script, which can't be imported.
_ASSIGNED = [node for node in ast.parse((ROOT / PAGE).read_text()).body if isinstance(node, ast.Assign)]
SECTIONS = next([k.value for k in node.value.keys] for node in _ASSIGNED if node.targets[0].id == "SECTIONS")
MINE = ("samples", "between", "arithmetic")
AE_SAMPLERS = ["AE, N(0, I) raw", "AE, N(0, I) scaled", "AE, one Gaussian", "AE, mixture"]


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch, tmp_path_factory):
    """What is computed is kept in a folder of the test's own, and found there only."""
    folder = tmp_path_factory.mktemp("computed")
    monkeypatch.setattr(cache, "folder", lambda: folder)
    forget()
    yield folder
    forget()


def forget() -> None:
    doors = (loaded.dataset, loaded.rows_of, loaded.estimator, loaded.codes, rebuilders._errors, rebuilders._rebuilt)
    doors += (sampled._drawn, sampled._sheet_png, sampled._nearest, between._classifier, between._moved)
    doors += (inverted._key, inverted._inverter, inverted._kept, runs._read, runs._index)
    for door in doors:
        door.clear()


def page(**query: str) -> AppTest:
    return opened_on(PAGE, **{"data": "digits", "size": "10", **query})


def said(app: AppTest) -> str:
    parts = (*app.warning, *app.error, *app.info, *app.caption)
    return "\n".join(each.value for each in parts).replace("\\", "")


def text(app: AppTest) -> str:
    """What is on the page, as people read it."""
    return f"{shown_text(app)}\n{said(app)}".replace("\\", "")


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def cards(app: AppTest) -> list[str]:
    """Labels of the sheets shown, in their order."""
    labels = [button.label for button in app.button if button.label.startswith("Enlarge: ")]
    return [re.fullmatch(r"Enlarge: (.*), with the nearest training images", label).group(1) for label in labels]


def key(name: str) -> str:
    return f"{PAGE}:{name}"


def stored(folder, method: str, size: int = 10):
    """The run of digits by `method` that a page shows, with its views."""
    found = store.pick(store.index()[0], "digits", method, size)[0]
    return store.read(folder / found.key)


def named_rows(app: AppTest, name: str) -> list[int]:
    """Numbers of the rows to choose from."""
    return [int(b.label.split()[-1]) for b in app.button if b.key and re.fullmatch(rf"{PAGE}:{name}-\d+", b.key)]


@pytest.fixture
def downloads(monkeypatch):
    """Of each download button on the page: what makes its bytes, and its file's name."""
    offered = {}
    monkeypatch.setattr(
        sampled.st,
        "download_button",
        lambda label, data, file_name, *args, **kwargs: offered.update({label: (data, file_name)}),
    )
    return offered


# --- Every section ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["2", "10"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(runs, section, size):
    app = page(section=section, size=size)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert query(app)["section"] == section
    again = page(**query(app))
    assert not again.exception
    assert not again.warning


@pytest.mark.parametrize("data", ["mnist", "fashion-mnist", "frey"])
@pytest.mark.parametrize("section", MINE)
def test_every_section_opens_on_shipped_runs_of_full_data(full_data, section, data):
    app = page(section=section, data=data, size="2")
    assert not app.exception
    assert not app.error
    if section == "samples":
        assert "VAE, prior" in cards(app)
    if data == "frey" and section == "arithmetic":
        assert "Frey faces has no classes" in text(app)


def test_documents_are_not_offered(runs):
    app = page(data="docstrings")
    assert not app.exception
    assert "has no images" in said(app)


@pytest.mark.parametrize("section", MINE)
def test_a_workshop_shows_the_same(runs, section, monkeypatch):
    before = text(page(section=section))
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    app = page(section=section)
    assert not app.exception
    assert text(app) == before


# --- Links --------------------------------------------------------------------------------------------------------

HOSTILE_VALUES = ["", "nonsense", "-1", "1e9", "9" * 5000, "0" * 6 + "9" * 5000, "nan", "inf", "²", "٣", "1_0", "\x00"]
HOSTILE_VALUES += ["<script>alert(1)</script>", HOSTILE, "../../etc/passwd", "[]", "😀" * 50, "0x10", " 7 ", "None"]


@pytest.mark.parametrize("name", ["seed", "temperature", "truncation"])
def test_nonsense_for_a_number_is_one_sentence_and_the_default(runs, name, monkeypatch):
    seen = []
    monkeypatch.setattr(sampled, "_cards", lambda shown, prior, view: seen.append(prior))
    default = sampled.Prior(0, 1.0, 5.0)
    for value in ("abc", "nan", "-1", "-inf", "1e9", "9" * 5000, "²", "<script>alert", "", HOSTILE, "1e999"):
        app = page(**{name: value})
        assert not app.exception, value
        assert seen[-1] == default, value
        assert f"The link asks for a {name} that is no number from" in said(app), value
        assert "<script>alert" not in shown_text(app)
        assert name not in query(app), value


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_nonsense_in_a_link_to_a_path_is_answered_in_words(runs, value):
    app = page(section="between", **dict.fromkeys(("from", "to", "draw", "path"), value))
    assert not app.exception
    assert not app.error
    assert app.warning
    assert len(named_rows(app, "from")) == len(named_rows(app, "to")) == 10
    assert "<script>alert" not in shown_text(app)
    assert "<img src=x" not in shown_text(app)


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_nonsense_in_a_link_to_a_sum_is_answered_in_words(runs, value):
    app = page(section="arithmetic", **dict.fromkeys(("minus", "plus", "row"), value))
    assert not app.exception
    assert not app.error
    assert app.warning
    assert len(named_rows(app, "row")) == 10
    assert "<script>alert" not in shown_text(app)
    assert "<img src=x" not in shown_text(app)


@pytest.mark.parametrize("name", ["from", "to", "draw", "path"])
def test_each_choice_of_a_path_is_checked(runs, name):
    app = page(section="between", **{name: "²"})
    assert not app.exception
    assert len(app.warning) == 1


@pytest.mark.parametrize("name", ["minus", "plus", "row"])
def test_each_choice_of_a_sum_is_checked(runs, name):
    app = page(section="arithmetic", **{name: "²"})
    assert not app.exception
    assert len(app.warning) == 1


def test_a_row_that_is_not_there_is_said_not_to_be(runs):
    app = page(section="between", **{"from": "999999", "to": "999999"})
    for name in ("from", "to"):
        assert f"The link asks for {name}=999999, which is not one of the 500 test rows shown here." in said(app)
    app = page(section="between", to="<script>alert(1)</script>")
    assert "The link asks for to=<script>ale…, which is not one of" in said(app)
    assert "The link asks for the class “<script>alert(1)</s…”, which digits has not" in said(
        page(section="arithmetic", minus="<script>alert(1)</script>")
    )


def test_an_unknown_section_is_said_to_be(runs):
    app = page(section="nothing")
    assert not app.exception
    assert "asks for the section “nothing”. nothing is not among samples" in said(app)
    assert query(app)["section"] == "samples"


# --- Samples ------------------------------------------------------------------------------------------------------


def test_the_lectures_question_in_its_order(runs):
    app = page()
    assert cards(app) == ["PCA, one Gaussian", *AE_SAMPLERS, "GAN, prior"]
    assert "What happens if we pick a random z?" in text(app)
    assert re.search("Not trained yet [^:]*: VAE.", text(app))
    assert any(each.proto.label == "Train VAE" for each in app.get("page_link"))
    # What is not drawn here is not offered either.
    assert "Linear AE" not in text(app)


def test_what_is_shown_is_what_the_decoder_makes_of_the_stored_sampler(runs, downloads):
    app = page(seed="7", temperature="0.8", truncation="2")
    assert not app.warning
    data, name = downloads["Samples as NPZ"]
    assert name == "samples-digits-10d-seed7.npz"
    arrays = np.load(io.BytesIO(data()), allow_pickle=False)
    run = stored(runs, "pca")
    fitted = store.estimator(runs / run.key)
    Z = generating.sampler_of(run, "gaussian", fitted).sample(32, 7, temperature=0.8, truncation=2.0)
    np.testing.assert_allclose(arrays["pca_gaussian_codes"], Z, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(arrays["pca_gaussian_images"], pixels(fitted.inverse_transform(Z)))
    assert arrays["pca_gaussian_run"] == run.key
    assert arrays["image_shape"].tolist() == [8, 8]
    assert (arrays["seed"], arrays["temperature"], arrays["truncation"]) == (7, 0.8, 2.0)
    assert {name.removesuffix("_codes") for name in arrays if name.endswith("_codes")} == {
        "pca_gaussian",
        "ae_normal",
        "ae_standardised",
        "ae_gaussian",
        "ae_mixture",
        "gan_normal",
    }
    assert all(arrays[each].dtype == np.uint8 for each in arrays if each.endswith("_images"))
    sheet = np.asarray(Image.open(io.BytesIO(downloads["Samples as PNG"][0]())))
    assert sheet.ndim == 2
    assert downloads["Samples as PNG"][1].endswith(".png")


def test_without_truncation_the_file_says_so(runs, downloads):
    page()
    assert np.load(io.BytesIO(downloads["Samples as NPZ"][0]()), allow_pickle=False)["truncation"] == np.inf


def test_others_are_of_the_next_seed_and_in_the_link(runs, downloads):
    def images():
        arrays = np.load(io.BytesIO(downloads["Samples as NPZ"][0]()), allow_pickle=False)
        return arrays["ae_mixture_images"]

    app = page(seed="9999")
    first = images()
    app.button(key=key("others")).click().run()
    assert app.number_input[0].value == 0
    assert "seed" not in query(app)
    assert not np.array_equal(images(), first)
    app.button(key=key("others")).click().run()
    assert query(app)["seed"] == "1"
    second = images()
    page(**query(app))
    assert np.array_equal(images(), second)


def test_figures_stand_with_their_interval_and_n(runs):
    app = page()
    run = stored(runs, "pca")
    low, high = run.metrics["frechet_interval"]
    assert f'{run.metrics["frechet"]:.2f} <span class="hg-note">({low:.2f} to {high:.2f})' in text(app)
    assert "n = 500" in text(app)
    assert "Training images, for comparison" in text(app)
    assert run.notes["features"] in text(app)
    # The figures are of samples drawn plainly, whatever is chosen.
    assert "without truncation, whatever is chosen above" not in text(app)
    assert "without truncation, whatever is chosen above" in text(page(temperature="0.5"))


def test_the_verdict_is_that_of_the_figures(runs):
    app = page()
    figures = {"PCA, one Gaussian": generating.figures_of(stored(runs, "pca"), "gaussian")}
    kinds = dict(zip(AE_SAMPLERS, ("normal", "standardised", "gaussian", "mixture"), strict=True))
    figures |= {label: generating.figures_of(stored(runs, "ae"), kind) for label, kind in kinds.items()}
    gan = next(run for run in store.index()[0] if run.spec.method == "gan")
    figures["GAN, prior"] = generating.figures_of(gan, "normal")
    order = sorted(figures, key=lambda label: figures[label]["frechet"])
    verdict = next(m.value.replace("\\", "") for m in app.markdown if m.value.startswith("Nearest to the test images"))
    assert order[0] in verdict
    assert f"{figures[order[0]]['frechet']:.2f}" in verdict or f"{figures[order[0]]['frechet']:.1f}" in verdict


def line(method: str, **metrics) -> runs.Line:
    run = stub(method, metrics)
    return runs.Line(method, method, run=run, stamp=("", 0))


def stub(method: str, metrics: dict, **params):
    spec = specs.make("digits", method, {"n_components": 10, **params})
    return store.Run(spec, [], metrics, {"image_shape": [8, 8]}, {}, {}, None)


def shown(method: str, kind: str, value: float, off: float = 0.1) -> sampled.Sampled:
    prefix = "" if kind == sampled.samplers.OF_METHOD[method][0] else f"{kind}."
    figures = {f"{prefix}frechet": value, f"{prefix}frechet_interval": [value - off, value + off]}
    return sampled.Sampled(line(method, **figures), kind)


def verdict(*given: sampled.Sampled) -> str:
    return sampled._verdict(given, 10)


def of_gan(value: float, off: float = 0.1) -> sampled.Sampled:
    metrics = {"frechet": value, "frechet_interval": [value - off, value + off]}
    return sampled.Sampled(runs.Line("gan", "GAN", run=stub("gan", metrics, n_components=16), stamp=("", 0)), "normal")


def test_where_the_gan_leads_its_size_and_the_lectures_question_are_answered():
    found = verdict(shown("ae", "mixture", 8.59), shown("vae", "normal", 14.82), of_gan(4.44))
    assert found.startswith("Nearest to the test images comes GAN, prior with 16 numbers (Fréchet distance 4.44);")
    assert (
        "the AE with a mixture fitted afterwards (8.59) beats the VAE with the prior it was trained with (14." in found
    )
    found = verdict(shown("ae", "mixture", 14.82), shown("vae", "normal", 8.59), of_gan(4.44))
    assert "the VAE with the prior it was trained with (8.59) beats the AE with a fitted mixture (14.82)" in found
    found = verdict(shown("ae", "mixture", 9.0, 1), shown("vae", "normal", 8.0, 1), of_gan(4))
    assert "(9.00) and the VAE with its prior (8.00) are not told apart by the seeds" in found
    # One of them tied with the GAN: the other is still to be told from it.
    assert "beats the VAE" in verdict(shown("ae", "mixture", 4.5), shown("vae", "normal", 8), of_gan(4.44))
    assert "Of the two" not in verdict(shown("ae", "mixture", 8), of_gan(4))
    found = sampled._verdict([shown("ae", "mixture", 8), of_gan(4)], 16)
    assert "GAN, prior (Fréchet" in found


def test_a_gans_card_says_its_own_size():
    assert "16-D code, whatever is chosen above" in sampled._caption(of_gan(4), 10)
    assert "-D code" not in sampled._caption(of_gan(4), 16)


def test_counts_stand_once_where_all_are_equal():
    def counted(n: int, floor: int = 500):
        metrics = {"frechet": 2.0, "frechet_n": n, "copies": 0.0, "copies_n": 100, "frechet_floor": 0.1}
        metrics |= {"frechet_floor_n": floor}
        return sampled.Sampled(line("vae", **metrics), "normal")

    assert sampled._same_counts([counted(500), counted(500)]) == {"frechet": 500, "copies": 100}
    assert sampled._same_counts([counted(500), counted(400)]) == {"copies": 100}
    assert sampled._same_counts([counted(500, 400)]) == {"copies": 100}
    table = sampled._table([counted(500), counted(400)], {"copies": 100})
    assert "n = 400" in table
    assert "n = 100" not in table
    assert sampled._counted_below({"frechet": 500, "recall": 500, "copies": 100}).startswith(
        "n = 500 samples a line; Copies: n = 100."
    )


def test_the_verdict_says_who_is_ahead_of_whom():
    found = verdict(shown("ae", "mixture", 2.0), shown("vae", "normal", 5.0), shown("pca", "gaussian", 50.0))
    assert found.startswith(
        "Nearest to the test images comes AE, mixture (Fréchet distance 2.00), ahead of the VAE (5.00)"
    )
    assert found.endswith("farthest is PCA, one Gaussian (50.00).")
    assert "fitted afterwards serves better" in found


def test_the_verdict_of_a_prior_praises_no_fitted_distribution():
    found = verdict(shown("ae", "mixture", 9), shown("vae", "normal", 5))
    assert found.startswith("Nearest to the test images comes VAE, prior")
    assert "afterwards" not in found


def test_a_naive_distribution_is_not_called_fitted():
    found = verdict(shown("ae", "normal", 1), shown("vae", "normal", 5))
    assert "AE, N(0, I) raw" in found
    assert "fitted afterwards" not in found


def test_what_the_seeds_do_not_tell_apart_is_not_ranked():
    found = verdict(shown("ae", "mixture", 2, 1), shown("vae", "normal", 3, 1), shown("pca", "gaussian", 50))
    assert "AE, mixture and VAE, prior" in found
    assert "which the seeds do not tell apart" in found
    assert "PCA" not in found


def test_of_one_sampler_there_is_no_verdict():
    assert verdict(shown("ae", "mixture", 2)) == ""
    assert verdict() == ""


def test_a_card_opens_with_the_nearest_training_images(runs, monkeypatch):
    app = page(seed="3")
    app.button(key=key("open-ae-mixture")).click().run()
    assert not app.exception
    assert app.get("dialog")
    run = stored(runs, "ae")
    fitted = store.estimator(runs / run.key)
    digits = datasets.load("digits")
    images = pixels(fitted.inverse_transform(generating.sampler_of(run, "mixture", fitted).sample(32, 3)))
    distances = np.linalg.norm(images[:, None] / 255.0 - digits.floats("train")[None], axis=2)
    for k in (0, 17, 31):
        row = distances[k].argmin()
        assert f'alt="Sample {k + 1} above training row {row}, distance {distances[k, row]:.2f}"' in text(app)
    assert "seed 3" in text(app)
    assert "of these 32" in text(app)


def test_a_copy_is_marked(runs, monkeypatch):
    digits = datasets.load("digits")
    monkeypatch.setattr(
        sampled.Sampled, "drawn", lambda self, prior: (np.zeros((32, 10), np.float32), digits.X_train[:32])
    )
    app = page()
    app.button(key=key("open-ae-mixture")).click().run()
    assert "32 of these 32 only repeat a training image" in text(app)
    assert text(app).count("<b>copy</b>") == 32


def test_without_the_data_a_card_still_opens(runs, monkeypatch):
    monkeypatch.setattr(loaded.datasets, "available", lambda name: False)
    app = page()
    app.button(key=key("open-ae-mixture")).click().run()
    assert not app.exception
    assert app.get("dialog")
    assert "not on this machine yet" in said(app)
    assert "Then the nearest training image stands under each sample" in said(app)


def test_training_rows_of_another_copy_of_the_data_are_not_shown(runs, monkeypatch):
    real = datasets.load("digits")
    other = Dataset(**{f.name: getattr(real, f.name) for f in real.__dataclass_fields__.values() if f.init})
    object.__setattr__(other, "X_train", real.X_train[::-1].copy())
    object.__setattr__(other, "checksum", "0" * 64)
    monkeypatch.setattr(loaded.datasets, "load", lambda name, **params: other)
    app = page()
    app.button(key=key("open-ae-mixture")).click().run()
    assert not app.exception
    assert "trained on another copy of the data" in said(app)
    assert "above training row" not in text(app)


def drawer(app: AppTest, name: str) -> AppTest:
    app.session_state[key(name)] = True
    return app.run()


def test_the_classes_of_the_samples(runs, monkeypatch):
    given = []
    real = generated.class_shares
    monkeypatch.setattr(generated, "class_shares", lambda *args: given.append(args) or real(*args))
    assert not page().get("plotly_chart")
    app = drawer(page(), "classes")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    shares, of_data, _, _ = given[-1]
    assert set(shares) == {"PCA, one Gaussian", *AE_SAMPLERS, "GAN, prior"}
    y = datasets.load("digits").y_test
    assert of_data == pytest.approx({str(c): (y == c).mean() for c in range(10)})
    assert all(sum(each.values()) == pytest.approx(1) for each in shares.values())


def test_the_distances_to_the_training_images(runs, monkeypatch):
    given = []
    real = generated.nearest_distances
    monkeypatch.setattr(generated, "nearest_distances", lambda *args: given.append(args) or real(*args))
    app = drawer(page(), "memory")
    assert not app.exception
    distances, of_test, _, _ = given[-1]
    assert set(distances) == {"PCA, one Gaussian", *AE_SAMPLERS, "GAN, prior"}
    digits = datasets.load("digits")
    found = memory.nearest_training_rows(digits.floats("test"), digits.X_train)
    np.testing.assert_allclose(of_test, found.distances[:, 0], atol=1e-5)


def test_the_verdict_says_whether_any_repeats_training_images(runs):
    found = next(m.value for m in page().markdown if m.value.startswith("Nearest to the test images"))
    assert "None repeats training images more often than test images do" in found


def changed(fitted, folder, method: str, change) -> None:
    """Copy a run of digits, 10-D, to `folder`, with what `change` makes of its views and metrics."""
    place = next(
        fitted / run.key
        for run in store.index()[0]
        if (run.spec.method, run.spec.dataset) == (method, "digits") and store.code_size(run) in (10, 16)
    )
    run = store.read(place)
    change(run)
    store.write(run, store.arrays(place), folder)


@pytest.fixture
def written(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """Writes changed copies of the small runs; they are all that is stored."""
    folder = tmp_path / "written"
    folder.mkdir()

    def write(changes: dict):
        monkeypatch.setenv("HOURGLASS_RUNS", str(fitted))
        for method, change in changes.items():
            changed(fitted, folder, method, change)
        monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
        return folder

    return write


def less(*prefixes: str):
    """Take away views and figures whose names begin so."""

    def change(run):
        for held in (run.views, run.metrics):
            for name in list(held):
                if name.startswith(prefixes):
                    del held[name]

    return change


def same(run):
    pass


def test_a_memoriser_is_named(written):
    def memorise(run):
        run.metrics["mixture.copies_interval"] = [0.9, 1.0]

    written({"ae": memorise, "pca": same})
    app = page()
    assert not app.exception
    assert "AE, mixture repeats training images more often than test images do: that is memory" in text(app)


def test_runs_from_before_there_were_samplers_say_so(written):
    written({"ae": less("sampler.", "nearest."), "pca": same})
    app = page()
    assert not app.exception
    assert cards(app) == ["PCA, one Gaussian", "AE, N(0, I) raw"]
    assert (
        "AE with N(0, I) scaled, one Gaussian and mixture is not shown: This run holds no fitted distribution"
        in said(app)
    )
    app = drawer(page(), "memory")
    assert not app.exception


def test_where_no_run_has_distances_that_is_said(written):
    written({"ae": less("sampler.", "nearest.", "copies"), "pca": less("nearest.", "copies")})
    app = drawer(page(), "memory")
    assert not app.exception
    assert "measured before distances were" in text(app)


@pytest.mark.parametrize(
    "missing",
    [("copies",), ("copies_floor",), ("frechet_interval",), ("frechet",), ("class_shares",), ("frechet_floor",)],
    ids=str,
)
def test_a_run_that_lacks_figures_is_shown_as_far_as_it_goes(written, missing):
    written({"ae": less(*missing), "pca": less(*missing)})
    app = drawer(drawer(page(), "memory"), "classes")
    assert not app.exception
    assert cards(app) == ["PCA, one Gaussian", *AE_SAMPLERS]


@pytest.mark.parametrize("missing", [("labels",), ("nearest.test",)], ids=str)
def test_a_run_that_lacks_views_is_shown_as_far_as_it_goes(written, missing):
    written({"pca": less(*missing)})
    app = drawer(drawer(page(), "memory"), "classes")
    assert not app.exception
    assert cards(app) == ["PCA, one Gaussian"]


def test_hostile_words_of_a_run_are_shown_letter_by_letter(written):
    def hostile(run):
        run.notes["features"] = HOSTILE
        run.notes["target_names"] = [HOSTILE] * 10
        run.metrics["class_shares"] = {HOSTILE: 1.0}

    written({"pca": hostile})
    for section in SECTIONS:
        app = drawer(drawer(page(section=section), "memory"), "classes")
        assert not app.exception
        assert "<img src=x" not in shown_text(app)
    app = page()
    assert HOSTILE in said(app)
    assert HOSTILE not in "".join(c.value for c in app.caption)  # there it is escaped


# --- Runs and data that are not what they should be ---------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
def test_without_a_run_there_is_an_offer(no_shipped_runs, tmp_path, monkeypatch, section):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page(section=section)
    assert not app.exception
    if section in MINE:
        assert any(each.proto.label == "Train PCA" for each in app.get("page_link"))
        # Nothing to choose where nothing is shown.
        assert not [*app.number_input, *app.slider, *app.get("button_group")[2:], *app.get("html")[1:]]
        assert "can be shown for Digits 8x8 with a 10-D code yet" in text(app)


@pytest.fixture
def broken(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """PCA, and an autoencoder whose weights are cut off."""
    folder = tmp_path / "broken"
    for method, params in (("pca", {}), ("ae", {"epochs": 2, "width": 32})):
        run = specs.make("digits", method, {"n_components": 10, **params}).key
        shutil.copytree(fitted / run, folder / run)
    weights = folder / run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    return folder / run


@pytest.mark.parametrize("section", SECTIONS)
def test_broken_weights_are_sentences_and_the_others_go_on(broken, section):
    app = page(section=section)
    assert not app.exception
    if section in MINE:
        assert "PCA" in text(app)
        assert "is not what was written" in said(app)


@pytest.mark.parametrize("section", SECTIONS)
def test_broken_views_are_sentences_and_the_others_go_on(broken, section):
    (broken / "views.safetensors").write_bytes(b"nonsense")
    app = page(section=section)
    assert not app.exception
    if section in MINE:
        assert "PCA" in text(app)
        assert "is not what was written" in said(app)


def test_one_reason_is_not_told_four_times(broken):
    app = page()
    assert len(app.warning) == 1
    assert "AE is not shown" in said(app)
    assert cards(app) == ["PCA, one Gaussian"]


@pytest.mark.parametrize("section", ["between", "arithmetic"])
def test_a_run_of_another_copy_of_the_data_is_left_out_in_words(runs, monkeypatch, section):
    real = maps.check_same_data

    def another(run, rows):
        if run.spec.method == "ae":
            object.__setattr__(rows, "checksum", "0" * 64)
        real(run, rows)

    monkeypatch.setattr(rebuilders.maps, "check_same_data", another)
    app = page(section=section)
    assert not app.exception
    assert "AE is not shown: It was trained on another copy of the data" in said(app)
    assert "<b>PCA</b>" in text(app)


@pytest.mark.parametrize("section", ["between", "arithmetic"])
def test_data_that_can_not_be_read_are_said_to_be(runs, monkeypatch, section):
    def unreadable(name, **params):
        raise DataUnavailable("It is damaged; remove it.")

    monkeypatch.setattr(loaded.datasets, "load", unreadable)
    app = page(section=section)
    assert not app.exception
    assert "It is damaged; remove it." in said(app)


@pytest.mark.parametrize("section", MINE)
def test_data_that_are_not_here_are_offered(runs, monkeypatch, section):
    monkeypatch.setattr(loaded.datasets, "available", lambda name: False)
    app = page(section=section)
    assert not app.exception
    if section == "samples":
        assert len(cards(app)) == 6  # runs hold what these need
    else:
        assert "not on this machine yet" in said(app)
        assert any(b.label.startswith("Download") for b in app.button)


@pytest.mark.parametrize("section", MINE)
def test_the_shipped_sample_stands_in_for_mnist(monkeypatch, section):
    monkeypatch.setattr(loaded.datasets, "available", lambda name: name != "mnist")
    app = page(section=section, data="mnist", size="2")
    assert not app.exception
    assert not app.error
    assert not app.info
    assert "PCA" in text(app)


@pytest.fixture
def faces(no_shipped_runs, tmp_path, monkeypatch):
    """Sixty images without classes, and two methods on them."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (120, 560)).astype(np.uint8)
    none = np.full(120, -1)
    about = {"image_shape": (28, 20), "redistributable": False}
    bare = Dataset("frey", IMAGES, images, none, images[:60], none[:60], (), "none", "none", **about)
    monkeypatch.setattr(loaded.datasets, "load", lambda name, **params: bare)
    monkeypatch.setattr(loaded.datasets, "available", lambda name: True)
    fit(tmp_path, bare, "pca", {"n_components": 2})
    fit(tmp_path, bare, "linear_ae", {"n_components": 2, "epochs": 1})
    return monkeypatch


def test_data_without_classes(faces):
    app = page(data="frey", size="2")
    assert not app.exception
    assert cards(app) == ["PCA, one Gaussian"]
    assert not app.exception
    assert "50 principal components" in text(app)
    assert key("classes") not in {each.key for each in app.expander if hasattr(each, "key")}
    app = drawer(page(data="frey", size="2"), "memory")
    assert not app.exception
    app = page(data="frey", size="2", section="between")
    assert not app.exception
    assert "named by the classifier" not in text(app)
    assert "shipped classifier" not in text(app)
    assert "<b>PCA</b>" in text(app)
    app = page(data="frey", size="2", section="arithmetic")
    assert not app.exception
    assert "Frey faces has no classes, so there is no difference of two to add." in text(app)


def test_data_with_classes_and_without_a_classifier(no_shipped_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (80, 64 * 64)).astype(np.uint8)
    y, names = np.arange(80) % 4, (HOSTILE, "<b>b</b>", "c", "d")
    people = Dataset("olivetti", IMAGES, images, y, images[:40], y[:40], names, "none", "none", image_shape=(64, 64))
    monkeypatch.setattr(loaded.datasets, "load", lambda name, **params: people)
    monkeypatch.setattr(loaded.datasets, "available", lambda name: True)
    fit(tmp_path, people, "pca", {"n_components": 2})
    for section in MINE:
        app = page(data="olivetti", size="2", section=section)
        assert not app.exception
        assert not app.error
        assert "<img src=x" not in shown_text(app)
        assert "<b>b</b>" not in shown_text(app)
    # Nothing is said of a classifier that there is not.
    assert "classifier" not in text(app)
    assert "Means of the codes of 10 and 10 test images" in said(app)
    for button in app.button:
        assert HOSTILE not in button.label


# --- Between two images -------------------------------------------------------------------------------------------


def sheets(monkeypatch) -> dict[str, list[np.ndarray]]:
    """Images that were drawn in each strip, by its text for those who can't see it."""
    drawn: dict[str, list[np.ndarray]] = {}
    real = between.columns.pictures

    def watched(images, shape, per_block, alt, *args, **kwargs):
        drawn.setdefault(alt, []).append(np.asarray(images))
        return real(images, shape, per_block, alt, *args, **kwargs)

    monkeypatch.setattr(between.columns, "pictures", watched)
    return drawn


def test_paths_run_from_one_row_to_the_other(runs, monkeypatch):
    drawn = sheets(monkeypatch)
    app = page(section="between", **{"from": "12", "to": "345"})
    assert not app.exception
    assert not app.warning
    digits = datasets.load("digits")
    mixed, pca, *rest = drawn["Images along the path"]
    assert len(rest) == 2  # linear AE, AE
    X = digits.floats("test")[[12, 345]]
    np.testing.assert_array_equal(mixed[[0, -1]], digits.X_test[[12, 345]])
    np.testing.assert_array_equal(mixed[5], pixels(X.mean(axis=0, keepdims=True))[0])
    fitted = store.estimator(runs / stored(runs, "pca").key)
    Z = fitted.transform(X)
    expected = pixels(fitted.inverse_transform(np.linspace(Z[0], Z[1], 11)))
    assert np.abs(pca.astype(int) - expected).max() <= 1
    assert [b.label for b in app.button if b.label.endswith("test row 12")]


def test_an_arc_is_another_path_between_the_same_ends(runs, monkeypatch):
    drawn = sheets(monkeypatch)
    page(section="between", **{"from": "12", "to": "345"})
    line = drawn.pop("Images along the path")
    app = page(section="between", path="arc", **{"from": "12", "to": "345"})
    assert not app.warning
    arc = drawn["Images along the path"]
    np.testing.assert_array_equal(line[0], arc[0])
    for straight, bent in zip(line[1:], arc[1:], strict=True):
        assert np.abs(straight[[0, -1]].astype(int) - bent[[0, -1]]).max() <= 1
    # PCA, whose codes are far apart.
    assert not np.array_equal(line[1][5], arc[1][5])


def test_the_classifier_names_the_images(runs, monkeypatch):
    drawn = sheets(monkeypatch)
    app = page(section="between", **{"from": "12", "to": "345"})
    space = between.features.classifier_space("digits", (8, 8))
    bodies = [e.proto.body for e in app.get("html") if "Mixed pixels" in e.proto.body]
    rows = re.findall(r'hg-columns-captions" style="--columns:11">((?:<div>\d</div>)+)', bodies[0])
    found = [re.findall(r"<div>(\d)</div>", row) for row in rows]
    expected = [space.classes(each / 255).astype(str).tolist() for each in drawn["Images along the path"][1:]]
    assert found == expected


def test_a_click_chooses_a_row_and_the_link_has_it(runs):
    app = page(section="between")
    numbers = named_rows(app, "from")
    y = datasets.load("digits").y_test
    assert y[numbers].tolist() == list(range(10))
    assert (query(app)["from"], query(app)["to"]) == (str(numbers[2]), str(numbers[7]))
    app.button(key=key("from-4")).click().run()
    assert query(app)["from"] == str(numbers[4])
    assert named_rows(app, "from") == numbers
    there = page(**query(app))
    assert not there.warning
    assert query(there)["from"] == str(numbers[4])


def test_a_row_may_be_both_ends(runs):
    app = page(section="between", **{"from": "12", "to": "12", "path": "arc"})
    assert not app.exception
    assert not app.warning


def test_a_row_of_a_link_stands_first(runs):
    app = page(section="between", **{"from": "12"})
    assert named_rows(app, "from")[0] == 12
    assert len(named_rows(app, "from")) == 10


def test_others_are_drawn_and_the_same_link_draws_them_again(runs):
    app = page(section="between")
    before = named_rows(app, "from")
    app.button(key=key("others")).click().run()
    assert query(app)["draw"] == "1"
    after = named_rows(app, "from")
    assert after != before
    assert query(app)["from"] == str(after[2])
    assert named_rows(page(section="between", draw="1"), "from") == after


def test_a_gan_goes_along_once_its_codes_are_found(runs, monkeypatch):
    assert any("regressor" in b.label for b in page(section="between").button)
    monkeypatch.setattr(inversion, "load", lambda key, gan: inversion.GANInverter(gan, n_steps=4, fit_steps=4).fit())
    forget()
    app = page(section="between")
    app.button(key=key("invert")).click().run()
    assert not app.exception
    assert "<b>GAN</b>" in text(app)
    assert "by inversion: regressor + 4 gradient steps an image" in text(app)


# --- Arithmetic ---------------------------------------------------------------------------------------------------


def test_a_row_is_moved_by_the_difference_of_the_means(runs, monkeypatch):
    drawn = sheets(monkeypatch)
    digits = datasets.load("digits")
    at = int(np.flatnonzero(digits.y_test == 3)[5])
    app = page(section="arithmetic", minus="3", plus="8", row=str(at))
    assert not app.exception
    assert not app.warning
    pca = drawn["Images along the path"][0]
    fitted = store.estimator(runs / stored(runs, "pca").key)
    Z = fitted.transform(digits.floats("test"))
    direction = Z[digits.y_test == 8].mean(axis=0) - Z[digits.y_test == 3].mean(axis=0)
    amounts = np.array([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5])[:, None]
    np.testing.assert_array_equal(pca[0], digits.X_test[at])
    expected = pixels(fitted.inverse_transform(Z[at] + amounts * direction))
    assert np.abs(pca[1:].astype(int) - expected).max() <= 1
    n = [(digits.y_test == c).sum() for c in (8, 3)]
    assert f"Means of the codes of {n[0]} and {n[1]} test images" in said(app)
    assert "GAN: it has no encoder, so no codes of given images to take the mean of." in said(app)


def test_how_many_become_the_other_class_is_counted(runs):
    app = page(section="arithmetic", minus="3", plus="8")
    digits = datasets.load("digits")
    fitted = store.estimator(runs / stored(runs, "pca").key)
    Z, y = fitted.transform(digits.floats("test")), digits.y_test
    moved = Z[y == 3] + Z[y == 8].mean(axis=0) - Z[y == 3].mean(axis=0)
    space = between.features.classifier_space("digits", (8, 8))
    shares = [
        (space.classes(pixels(fitted.inverse_transform(each)) / 255.0) == 8).mean() for each in (moved, Z[y == 3])
    ]
    n = (y == 3).sum()
    found = [int(share) for share in re.findall(rf"(\d+)% \(\d+% to \d+%\) of {n} become 8", text(app))]
    assert found[0] == pytest.approx(100 * shares[0], abs=1.5)
    rebuilt = [int(share) for share in re.findall(r"(\d+)% \(\d+% to \d+%\) when only rebuilt", text(app))]
    assert rebuilt[0] == pytest.approx(100 * shares[1], abs=1.5)


def test_few_rows_of_a_class_are_one_block(runs):
    rows = loaded.rows_here(datasets.entry("digits"), datasets.entry("digits").default_params, [])
    assert "--blocks:1" in between._choices_of("Row", rows, [3, 4], 3)
    assert "--blocks:2" in between._choices_of("Row", rows, list(range(10)), 3)


def test_a_class_less_itself_is_not_offered(runs):
    app = page(section="arithmetic", minus="9", plus="9")
    assert not app.exception
    assert "The link asks for the class “9”, that it starts from too." in said(app)
    assert query(app)["plus"] == "8"
    to = next(each for each in app.selectbox if each.label == "To class")
    assert to.options == [str(k) for k in range(9)]
    next(each for each in app.selectbox if each.label == "From class").set_value("8").run()
    assert not app.exception
    assert not app.warning
    assert query(app)["plus"] == "9"


def test_a_row_of_another_class_is_not_moved(runs):
    digits = datasets.load("digits")
    other = int(np.flatnonzero(digits.y_test == 5)[0])
    app = page(section="arithmetic", minus="3", plus="8", row=str(other))
    assert not app.exception
    assert digits.y_test[int(query(app)["row"])] == 3


def test_another_class_brings_its_own_rows(runs):
    app = page(section="arithmetic", minus="3", plus="8")
    next(each for each in app.selectbox if each.label == "From class").set_value("6").run()
    assert not app.exception
    assert not app.warning
    assert query(app)["minus"] == "6"
    assert (datasets.load("digits").y_test[named_rows(app, "row")] == 6).all()
    assert datasets.load("digits").y_test[int(query(app)["row"])] == 6


def test_choices_go_along_from_section_to_section_and_to_other_data(runs):
    app = page(section="arithmetic", minus="3", plus="8")
    section = next(g for g in app.get("button_group") if g.label == "What to look at")
    for name in (*SECTIONS, *SECTIONS):
        section.set_value(name).run()
        assert not app.exception
        assert not app.warning
        section = next(g for g in app.get("button_group") if g.label == "What to look at")
    section.set_value("arithmetic").run()
    assert (query(app)["minus"], query(app)["plus"]) == ("3", "8")


def test_what_another_section_or_page_remembers_breaks_none(runs):
    """A seed, a draw or a row of another page may lie outside what this one allows."""
    app = page(section="between", draw="9999", **{"from": "499"})
    app.switch_page("pages/reconstructions.py").run()
    assert not app.exception
    app.switch_page(PAGE).run()
    assert not app.exception
