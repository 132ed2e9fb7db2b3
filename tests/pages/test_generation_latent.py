"""Generation's sections for dragging in latent space, as pages: what opens, what is missing, what a link may say."""

import json
from unittest import mock

import numpy as np
import pytest

from core import datasets, methods, store
from core.figures.linked import unpacked
from core.types import IMAGES, DataUnavailable
from pages.ui import latent, loaded
from tests.pages.conftest import fit, opened_on, shown_text

ONE_TO_TEN = "_".join(map(str, range(1, 11)))
PAGE = "pages/generation.py"
RUNS = [run for run in store.index()[0] if store.is_shipped(run.key)]
SHIPPED = sorted({run.spec.dataset for run in RUNS})
OF_IMAGES = [name for name in SHIPPED if datasets.entry(name).kind == IMAGES and not name.endswith("sample")]


def here(name):
    if not (datasets.available(name) or name in ("mnist", "fashion-mnist")):
        pytest.skip(f"{name} is not on this machine")


def messages(app):
    """What the browser is sent, by kind."""
    found = {}
    for element in app.get("bidi_component"):
        data = element.proto.bytes
        if data:
            header, arrays = unpacked(data)
            found[header["kind"]] = header | {"arrays": arrays}
    return found


def open_section(section, **query):
    app = opened_on(PAGE, section=section, **query)
    assert not app.exception
    return app


def warned(app):
    return [each.value for each in app.warning]


@pytest.mark.parametrize("name", OF_IMAGES)
def test_the_plane_opens_on_every_data_set_with_shipped_runs(name):
    here(name)
    app = open_section("manifold", data=name)
    assert warned(app) == [each.value for each in app.error] == []
    sent = messages(app)
    assert sent["manifold"]["prior"]
    assert sent["manifold"]["decoder"] == sent["decoder"]["id"]
    assert len(sent["manifold"]["arrays"]["codes"]) == 2 * len(sent["manifold"]["arrays"]["labels"]) > 0
    assert "pictures" in sent
    assert "inverse normal" in shown_text(app)
    assert app.query_params["plane"] == "vae"


@pytest.mark.parametrize("name", OF_IMAGES)
def test_the_sliders_open_on_every_data_set_with_shipped_runs(name):
    here(name)
    size = 2 if name == "frey" else 10
    app = open_section("sliders", data=name, size=str(size))
    for method in [each for each in methods.compared(IMAGES) if store.pick(RUNS, name, each, size)]:
        app.session_state[f"{PAGE}:morph"] = method
        app.run()
        assert not app.exception
        assert warned(app) == [each.value for each in app.error] == []
        scene = messages(app)["sliders"]
        assert scene["server"] == (method == "gan")
        assert sorted(scene["order"]) == list(range(len(scene["axes"])))
        assert len(scene["starts"]) == (0 if method == "gan" else 20)
        assert scene["prior"] == (method in ("vae", "gan"))
        assert ("convolutional" in shown_text(app)) == (method == "gan")


@pytest.mark.parametrize("method", ["ae", "pca", "linear_ae"])
def test_a_plane_without_a_prior_spans_its_codes_and_says_so(runs, method):
    app = open_section("manifold", data="digits", plane=method)
    scene = messages(app)["manifold"]
    assert not scene["prior"]
    codes = scene["arrays"]["codes"].reshape(-1, 2)
    for axis, values in zip(scene["axes"], codes.T, strict=True):
        assert [axis["low"], axis["high"]] == pytest.approx(np.percentile(values, [1, 99]), rel=1e-3)
    assert "Without a prior" in shown_text(app)


def test_without_a_vae_the_plane_offers_to_train_one(runs):
    app = open_section("manifold", data="digits")
    assert app.query_params["plane"] == "ae"
    links = {each.proto.label: json.dumps(list(each.proto.query_string)) for each in app.get("page_link")}
    assert any("Train a VAE with a 2" in label.replace("\\", "") for label in links)


def test_nothing_trained_is_said_with_the_way_to_training(tmp_path, monkeypatch, no_shipped_runs):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "empty"))
    for section in ("manifold", "sliders"):
        app = open_section(section, data="digits")
        assert "Not trained yet" in app.info[0].value
        assert any("Train a VAE" in each.proto.label for each in app.get("page_link"))
        assert messages(app) == {}


def test_a_link_restores_the_code_and_stays_in_the_address():
    app = open_section("manifold", data="mnist", z="0.52_-1.3", behind="both")
    scene = messages(app)["manifold"]
    assert (scene["code"], scene["behind"]) == ([0.52, -1.3], "both")
    assert (app.query_params["z"], app.query_params["behind"]) == ("0.52_-1.3", "both")
    again = messages(app.run())["manifold"]
    assert (again["code"], again["placed"]) == (scene["code"], scene["placed"])

    app = open_section(
        "sliders", data="digits", size="10", morph="pca", code="1_2_3_4_5_6_7_8_9_10", pad="9_3", frozen="1_4"
    )
    scene = messages(app)["sliders"]
    assert scene["code"] == list(range(1, 11))
    assert (scene["pad"], scene["frozen"]) == ([8, 2], [0, 3])
    assert (app.query_params["pad"], app.query_params["frozen"]) == ("9_3", "1_4")


HOSTILE = {
    "manifold": (
        {"z": "<img src=x onerror=alert(1)>"},
        {"z": "1_2_3"},
        {"z": "nan_inf"},
        {"z": "1_2" * 5000},
        {"z": "99_-99"},
        {"behind": "**bold**"},
    ),
    "sliders": (
        {"code": "1_2"},
        {"code": "x"},
        {"pad": "1"},
        {"pad": "3_3"},
        {"pad": "1_99"},
        {"frozen": "0"},
        {"frozen": "$x$"},
    ),
}


@pytest.mark.parametrize("section", HOSTILE)
def test_a_bad_value_in_a_link_is_one_sentence(section):
    app = open_section(section, data="digits")
    for query in HOSTILE[section]:
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        (warning,) = warned(app)
        assert "The link asks for" in warning
        assert len(warning) < 400
        scene = messages(app)[section]
        assert np.isfinite(scene["code"]).all()
        if query.get("z") == "99_-99":
            assert scene["code"] == [3, -3]
        assert warned(app.run()) == []


def test_what_a_section_keeps_in_the_address_leaves_it_with_the_section():
    app = open_section("manifold", data="digits", z="1_1")
    key = next(each.key for each in app.get("button_group") if each.key.endswith(":section"))
    app.session_state[key] = "sliders"
    app.run()
    assert "z" not in app.query_params
    app.session_state[key] = "manifold"
    app.run()
    assert messages(app)["manifold"]["code"] == [1, 1]
    assert app.query_params["z"] == "1_1"


def test_without_the_data_the_plane_is_drawn_all_the_same(monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda name: name != "frey" and name in ("digits",))
    app = open_section("manifold", data="frey")
    assert "not on this machine" in app.info[0].value
    scene = messages(app)["manifold"]
    assert len(scene["arrays"]["labels"]) == 390
    assert scene["pictures"] == ""
    assert "whose images are not here" in shown_text(app)


def test_data_that_cannot_be_read_leave_the_decoder(monkeypatch):
    def refuse(*args, **kwargs):
        raise DataUnavailable("The file is broken.")

    monkeypatch.setattr(loaded, "rows_here", refuse)
    app = open_section("sliders", data="digits")
    assert "The file is broken" in warned(app)[0].replace("\\", "")
    assert len(messages(app)["sliders"]["axes"]) == 10
    assert messages(app)["sliders"]["starts"] == []


@pytest.fixture(scope="module")
def convolutional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convolutional")
    digits = datasets.load("digits")
    fit(folder, digits, "vae", {"n_components": 2, "epochs": 1, "width": 32, "layers": 2, "network": "conv"})
    return folder


def test_a_convolutional_plane_comes_from_the_server(convolutional, no_shipped_runs, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(convolutional))
    app = open_section("manifold", data="digits")
    sent = messages(app)
    assert sent["manifold"]["server"]
    assert sent["grid"]["id"] == sent["answer"]["id"] == sent["manifold"]["decoder"]
    columns, lines = sent["manifold"]["columns"]
    assert sent["grid"]["arrays"]["images"].size == columns * lines * 64
    assert "convolutional: the server draws each picture" in shown_text(app)


def test_the_weights_are_made_once(monkeypatch):
    app = open_section("manifold", data="digits")
    with mock.patch.object(latent.latent, "decoder_message") as made:
        app.run()
        assert not made.called
