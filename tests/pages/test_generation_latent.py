"""Generation's 2-D manifold and sliders: what the browser is sent, and what a link may say."""

from unittest.mock import Mock

import numpy as np
import pytest

from core import datasets, methods
from core.errors import DataUnavailable
from core.runs import selection, store
from core.types import IMAGES
from pages.ui.shared import cached
from tests.frontend.messages import read_message
from tests.pages.driver import opened_on

PAGE = "pages/generation.py"
RUNS = [run for run in store.list_runs()[0] if store.is_shipped(run)]


def messages(app):
    """What the browser is sent, by kind."""
    sent = {}
    for element in app.get("bidi_component"):
        if data := element.proto.bytes:
            header, arrays = read_message(data)
            sent[header["kind"]] = header | {"arrays": arrays}
    return sent


def page(section, **query):
    return opened_on(PAGE, section=section, **query)


def test_manifold_opens_on_shipped_runs():
    app = page("manifold", data="digits")
    assert not [*app.warning, *app.error]
    sent = messages(app)
    scene = sent["manifold"]
    assert (scene["prior"], scene["decoder"], app.query()["plane"]) == (True, sent["decoder"]["id"], "vae")
    assert len(scene["arrays"]["codes"]) == 2 * len(scene["arrays"]["labels"]) > 0
    assert "pictures" in sent


def test_sliders_open_for_every_shipped_method():
    for name, size in (("digits", 10), ("frey", 2)):
        app = page("sliders", data=name, size=str(size))
        for method in methods.compared(IMAGES) if datasets.is_available(name) else ():
            if not (runs := selection.select_runs(RUNS, name, method, size)):
                continue
            app.set_state("morph", method)
            assert not [*app.warning, *app.error], (name, method)
            scene = messages(app)["sliders"]
            assert scene["server"] == (runs[0].spec.param("network") == "conv")
            assert sorted(scene["order"]) == list(range(len(scene["axes"])))
            assert len(scene["starts"]) == (0 if method == "gan" else 20)
            assert scene["prior"] == (method in ("vae", "gan"))


def test_manifold_without_a_prior_spans_the_codes(runs):
    app = page("manifold", data="digits")
    scene = messages(app)["manifold"]
    assert not scene["prior"]
    for axis, codes in zip(scene["axes"], scene["arrays"]["codes"].reshape(-1, 2).T, strict=True):
        assert [axis["low"], axis["high"]] == pytest.approx(np.percentile(codes, [1, 99]), rel=1e-3)
    assert app.query()["plane"] == "ae"
    assert "Train VAE 2-D" in app.links()


def test_a_link_restores_the_code():
    app = page("manifold", data="mnist", z="0.52_-1.3", behind="both")
    scene, query = messages(app)["manifold"], app.query()
    assert (scene["code"], scene["behind"], query["z"], query["behind"]) == ([0.52, -1.3], "both", "0.52_-1.3", "both")
    assert messages(app.run())["manifold"]["placed"] == scene["placed"]
    code = "_".join(map(str, range(1, 11)))
    app = page("sliders", data="digits", size="10", morph="pca", code=code, pad="9_3", frozen="1_4")
    scene, query = messages(app)["sliders"], app.query()
    assert (scene["code"], scene["pad"], scene["frozen"]) == (list(range(1, 11)), [8, 2], [0, 3])
    assert (query["pad"], query["frozen"]) == ("9_3", "1_4")


def test_a_bad_value_in_a_link_is_one_sentence():
    for section, links in (
        ("manifold", "z=<img-src=x> z=nan_inf z=99_-99 behind=**bold**"),
        ("sliders", "code=1_2 pad=1_99 frozen=$x$"),
    ):
        app = page(section, data="digits")
        for name, value in (link.split("=", 1) for link in links.split()):
            app.query_params[name] = value
            scene = messages(app.run())[section]
            (warning,) = app.warning
            assert "The link asks for" in warning.value
            assert np.isfinite(scene["code"]).all()
            assert value != "99_-99" or scene["code"] == [3, -3]


def test_missing_or_unreadable_data_leave_the_decoder(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "is_available", lambda name: name == "digits")
        app = page("manifold", data="frey")
        assert any("not on this machine" in caption.value for caption in app.caption)
        scene = messages(app)["manifold"]
        assert (len(scene["arrays"]["labels"]), scene["pictures"]) == (390, "")
    monkeypatch.setattr(cached, "find_rows", Mock(side_effect=DataUnavailable("The file is broken.")))
    scene = messages(page("sliders", data="digits").expect("The file is broken"))["sliders"]
    assert (len(scene["axes"]), scene["starts"]) == (10, [])
