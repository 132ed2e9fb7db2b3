"""Compare under AppTest: what is chosen, what a link brings, and what is said when something is missing."""

import base64
import json
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from importlib.metadata import version as installed

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import methods, specs, store
from pages.ui import commands, links
from tests.conftest import locked
from tests.pages.conftest import HOSTILE, ROOT, opened, shown_text, weighted_lsa


def data(app: AppTest):
    return next(box for box in app.selectbox if box.label == "Data set")


def size(app: AppTest):
    return next(box for box in app.get("button_group") if box.label == "Code size")


def warnings(app: AppTest) -> str:
    return " ".join(warning.value for warning in app.warning)


def codes(app: AppTest) -> list[str]:
    return [code.value for code in app.code]


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def token(text: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text)).decode().rstrip("=")


def test_documents_of_other_releases_are_said_to_be_others(runs, monkeypatch):
    assert "another release" not in warnings(opened(data="docstrings", size="2"))
    monkeypatch.setattr("core.datasets.version", lambda name: "0.1" if name == "scipy" else installed(name))
    app = opened(data="docstrings", size="2")
    assert "and scipy had another release when these runs were made" in warnings(app)
    assert "another release" not in warnings(opened(data="digits", size="2"))


def test_opens_on_what_is_trained(runs):
    app = opened()
    assert not app.exception
    assert not app.warning
    assert data(app).value == "digits"
    assert query(app) == {"data": "digits", "size": "10"}
    text = shown_text(app)
    for label in ("PCA", "Linear AE", "AE", "GAN"):
        assert f'<div class="hg-method">{label}' in text
    assert text.count('class="hg-map"') == 4  # PCA, linear AE, AE, GAN
    assert "Trained on 1,297 images, measured on 500 test images" in text.replace("\\", "")


def test_figures_on_the_page_are_the_runs_own(runs):
    app = opened(data="digits", size="2")
    run = store.read(store.find(specs.make("digits", "pca", {"n_components": 2}).key))
    low, high = run.metrics["squared_error_interval"]
    text = shown_text(app)
    assert f">{run.metrics['squared_error']:.2f}</span>" in text
    assert f"{low:.2f} to {high:.2f}" in text
    assert f">{run.metrics['knn_accuracy']:.3f}</span>" in text


def test_mnist_is_the_default_where_nothing_is_trained(no_shipped_runs):
    app = opened()
    assert not app.exception
    assert data(app).value == "mnist"
    assert "No trained models" in app.info[0].value
    assert "python -m core fit mnist ae --set n_components=10" in codes(app)
    assert "python -m core fit mnist gan" in codes(app)
    assert "–" in shown_text(app)


def test_choices_change_the_view_and_the_address(runs):
    app = opened()
    size(app).set_value(2).run()
    assert query(app) == {"data": "digits", "size": "2"}
    assert "2-D code" in shown_text(app)
    data(app).set_value("docstrings").run()
    assert not app.exception
    assert query(app) == {"data": "docstrings", "size": "2"}
    assert "python -m core compare docstrings lsa ae vae --code-size 2" in codes(app)


def test_a_link_opens_its_view(runs):
    app = opened(data="digits", size="2")
    assert (data(app).value, size(app).value) == ("digits", 2)
    assert "python -m core compare digits pca linear_ae ae vae gan --code-size 2" in codes(app)


def test_another_run_is_chosen_by_a_selector_and_carried_by_the_link(runs):
    app = opened(data="digits", size="10")
    box = next(box for box in app.selectbox if box.label == "AE")
    other = store.pick(store.index()[0], "digits", "ae", 10)[1]
    box.select_index(1).run()
    assert not app.exception
    carried = query(app)["ae"]
    assert links.decode(carried) == other.spec
    again = opened(data="digits", size="10", ae=carried)
    assert next(box for box in again.selectbox if box.label == "AE").value == other.key
    assert f">{other.metrics['squared_error']:.2f}</span>" in shown_text(again)
    assert not again.warning
    repeated = next(code for code in codes(again) if "core compare" in code).splitlines()
    assert repeated == [
        "python -m core compare digits pca linear_ae vae gan --code-size 10",
        commands.fit(other.spec),
    ]


@pytest.mark.parametrize(("weighting", "name"), [("log", "LSA (log counts)"), ("counts", "LSA (raw counts)")])
def test_lsa_under_a_weaker_weighting_is_named_so(own_copy, weighting, name):
    other = weighted_lsa(own_copy, weighting)
    app = opened(data="docstrings", size="2")
    assert '<div class="hg-method">LSA<div' in shown_text(app)
    app = opened(data="docstrings", size="2", lsa=links.encode(other.spec))
    app.session_state["compare:measures"] = True
    app.run()
    assert not app.exception
    text = shown_text(app)
    assert f'<div class="hg-method">{name}<div' in text
    assert f"<th scope='col'>{name}</th>" in text
    assert '<div class="hg-method">LSA<div' not in text
    assert "<th scope='col'>LSA</th>" not in text


def test_a_linked_run_that_is_not_here_is_offered(runs):
    spec = specs.make("digits", "ae", {"n_components": 10, "epochs": 77})
    app = opened(data="digits", size="10", ae=links.encode(spec))
    assert not app.exception
    assert not app.warning
    assert "Not trained yet" in shown_text(app)
    assert commands.fit(spec) in codes(app)
    assert links.decode(query(app)["ae"]) == spec
    app.run()
    assert commands.fit(spec) in codes(app)


def test_the_line_of_a_run_makes_its_spec():
    from core import __main__ as line

    spec = specs.make("docstrings", "lsa", {"n_components": 7, "weighting": "log"}, 5, {"vocabulary_size": 50})
    words = commands.fit(spec).split()
    assert words[:4] == ["python", "-m", "core", "fit"]
    arguments = line._parser().parse_args(words[3:])
    again = line._spec(arguments.dataset, arguments.method, line._settings(arguments), arguments.seed)
    assert again == spec


GOOD = {"dataset": "digits", "dataset_params": {}, "method": "ae", "params": {}, "seed": 0, "version": 1}


def with_params(**params) -> str:
    return token(json.dumps({**GOOD, "params": {"n_components": 10, **params}}).encode())


@pytest.mark.parametrize(
    "query",
    [
        {"data": "nothing"},
        {"data": "<script>alert(1)</script>"},
        {"data": "digits", "size": "0"},
        {"data": "digits", "size": "99999999999999999999"},
        {"data": "digits", "size": "²"},
        {"data": "digits", "size": "-2"},
        {"data": "digits", "size": "ten"},
        {"data": "digits", "size": "10", "ae": "garbage"},
        {"data": "digits", "size": "10", "ae": "é"},
        {"data": "digits", "size": "10", "ae": token(b"[" * 4000)},
        {"data": "digits", "size": "10", "ae": token(b"[]")},
        {"data": "digits", "size": "10", "ae": token(b"\xff\xfe")},
        {"data": "digits", "size": "10", "ae": token(b"0" * 10_000_000)},
        {"data": "digits", "size": "10", "ae": "A" * 100_000},
        {"data": "digits", "size": "10", "ae": token(json.dumps({**GOOD, "seed": None}).encode())},
        {"data": "digits", "size": "10", "ae": token(json.dumps({**GOOD, "params": [1, 2]}).encode())},
        {"data": "digits", "size": "10", "ae": with_params(epochs=-5)},
        {"data": "digits", "size": "10", "ae": with_params(epochs=float("nan"))},
        {"data": "digits", "size": "10", "ae": with_params(epochs=10**400)},
        {"data": "digits", "size": "10", "ae": with_params(epochs=[1])},
        {"data": "digits", "size": "10", "ae": token(json.dumps({**GOOD, "seed": 1e999}).encode())},
        {"data": "digits", "size": "10", "ae": with_params(epochs={"a": 1})},
        {"data": "digits", "size": "10", "ae": with_params(sudo="rm")},
        {"data": "digits", "size": "2", "ae": with_params()},
    ],
    ids=lambda query: " ".join(f"{name}={value[:24]}" for name, value in query.items()),
)
def test_a_bad_link_is_one_sentence_and_the_default(runs, query):
    app = opened(**query)
    assert not app.exception
    assert len(app.warning) == 1
    assert data(app).value == "digits"
    assert size(app).value == (2 if query.get("size") == "2" else 10)
    assert "<script" not in app.warning[0].value.replace("\\<", "")
    assert 'class="hg-map"' in shown_text(app)


def test_a_size_nobody_trained_is_offered(runs):
    app = opened(data="digits", size="7")
    assert not app.exception
    assert not app.warning
    assert size(app).value == 7
    assert "python -m core fit digits pca --set n_components=7" in codes(app)


@pytest.fixture
def own_copy(runs, tmp_path, monkeypatch):
    """A folder of runs that a test may change."""
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    return folder


def test_a_broken_folder_is_named_and_the_rest_works(own_copy):
    folder = own_copy
    keys = {m: specs.make("digits", m, p).key for m, p in (
        ("pca", {"n_components": 2}),
        ("linear_ae", {"n_components": 2, "epochs": 2}),
    )}  # fmt: skip
    (folder / keys["pca"] / "run.json").write_text("{")
    views = folder / keys["linear_ae"] / "views.safetensors"
    views.write_bytes(views.read_bytes()[:-100])
    app = opened(data="digits", size="2")
    assert not app.exception
    assert keys["pca"] in warnings(app).replace("\\", "")
    text = shown_text(app)
    assert f"{keys['linear_ae']}/views.safetensors is not what was written" in text
    assert text.count('class="hg-map"') == 2  # AE and GAN


def test_a_new_run_shows_without_a_restart(runs, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    key = specs.make("digits", "pca", {"n_components": 2}).key
    (folder / key).rename(tmp_path / key)
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    app = opened(data="digits", size="2")
    assert "python -m core fit digits pca --set n_components=2" in codes(app)
    (tmp_path / key).rename(folder / key)
    app.run()
    assert "python -m core fit digits pca --set n_components=2" not in codes(app)


def test_a_run_fitted_again_shows_its_new_pictures_and_its_new_best(own_copy):
    place = store.find(specs.make("digits", "linear_ae", {"n_components": 2, "epochs": 2}).key)
    old = opened(data="digits", size="2")
    run = store.read(place)
    better = {
        "map": run.views["map"][:, ::-1] ** 2,
        "reconstructions": 255 - run.views["reconstructions"],
        "samples": 255 - run.views["samples"],
        "rows.squared_error": run.views["rows.squared_error"] / 1000,
    }
    store.write(replace(run, views={**run.views, **better}), store.arrays(place))
    new = opened(data="digits", size="2")
    assert not new.exception
    for picture in ("map-linear_ae", "strip-linear_ae", "samples-linear_ae"):
        assert drawn(old, picture) != drawn(new, picture)
    assert drawn(old, "map-ae") == drawn(new, "map-ae")
    assert "PCA has the least squared error" in shown_text(old).replace("\\", "")
    assert "Linear AE has the least squared error" in shown_text(new).replace("\\", "")


def drawn(app: AppTest, picture: str) -> str:
    """The HTML of a picture."""
    name, method = picture.split("-")
    label = methods.label(method)
    bodies = [element.proto.body for element in app.get("html")]
    row = next(i for i, body in enumerate(bodies) if f'hg-method">{label}<' in body)
    begins = {"map": "Map of", "strip": f"The same images rebuilt by {label}", "samples": f"Samples of {label}"}[name]
    return next(body for body in bodies[row:] if f'alt="{begins}' in body)


def test_a_run_deleted_while_the_page_is_drawn_is_still_shown_and_then_gone(own_copy, monkeypatch):
    from pages.ui import words

    st.cache_data.clear()
    place = store.find(specs.make("digits", "ae", {"n_components": 2, "epochs": 2, "width": 32}).key)
    compared = words.compared

    def then_deleted(*args):
        shutil.rmtree(place, ignore_errors=True)
        return compared(*args)

    monkeypatch.setattr(words, "compared", then_deleted)
    app = opened(data="digits", size="2")
    assert not app.exception
    assert "python -m core fit digits ae --set n_components=2" not in codes(app)
    app.run()
    assert not app.exception
    assert "python -m core fit digits ae --set n_components=2" in codes(app)


def test_a_run_deleted_before_it_is_read_is_a_sentence(own_copy, monkeypatch):
    key = specs.make("digits", "ae", {"n_components": 2, "epochs": 2, "width": 32}).key
    find = store.find
    monkeypatch.setattr(store, "find", lambda asked: None if asked == key else find(asked))
    app = opened(data="digits", size="2")
    assert not app.exception
    assert f"The run {key} is no longer stored: reload this page." in shown_text(app)


def test_an_own_run_of_a_shipped_key_is_shown_once_as_the_persons_own(own_copy, tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    shutil.copytree(own_copy, shipped)
    monkeypatch.setattr(store, "SHIPPED", shipped)
    pca = specs.make("digits", "pca", {"n_components": 2}).key
    for place in own_copy.iterdir():
        if place.name != pca:
            shutil.rmtree(place)
    app = opened(data="digits", size="2")
    assert not app.exception
    assert not app.warning
    assert not [box for box in app.selectbox if box.label == "PCA"]
    text = shown_text(app)
    assert "own run" in text.split('hg-method">PCA')[1].split("hg-method")[0]
    assert "own run" not in text.split('hg-method">AE')[1].split("hg-method")[0]


def test_a_folder_that_can_not_be_read_is_named(runs, monkeypatch):
    locked(monkeypatch, runs)
    app = opened(data="digits", size="2")
    assert not app.exception
    assert f"The runs in {runs} can't be read (Permission denied)." in warnings(app).replace("\\", "")


def test_documents_are_words_and_their_text_stays_text(runs):
    app = opened(data="docstrings", size="2")
    assert not app.exception
    text = shown_text(app)
    assert "&lt;img src=x onerror=alert(1)&gt; $x^2$ **bold** :red[r]" in text
    assert "<img src=x" not in text
    assert "&lt;b&gt;subject 0&lt;/b&gt;" in text
    assert "<b>subject" not in text
    assert HOSTILE not in text
    assert 'class="hg-in"' in text
    assert "Precision at 15" in text
    assert 'hg-method">GAN' not in text


def test_all_measures_are_drawn_when_opened(runs):
    app = opened(data="digits", size="10")
    assert "Linear probe" not in shown_text(app)
    app.session_state["compare:measures"] = True
    app.run()
    assert not app.exception
    text = shown_text(app)
    for label in ("Linear probe", "Trustworthiness", "Fréchet floor", "Weights", "Trained in precision"):
        assert label in text
    assert len(app.get("plotly_chart")) == 2
    assert commands.fit(specs.make("digits", "pca", {"n_components": 10})) in codes(app)


@pytest.mark.parametrize("picture", ["map-pca", "map-gan", "strip-pca", "samples-gan"])
def test_a_picture_opens_larger(runs, picture):
    app = opened(data="digits", size="10")
    app.button(key=f"compare:open-{picture}").click().run()
    assert not app.exception
    assert app.get("dialog")


def test_only_what_the_rows_tell_apart_is_best(runs):
    app = opened(data="digits", size="10")
    text = shown_text(app)
    rows = {
        m: text.split(f'hg-method">{methods.label(m)}')[1].split("hg-numbers")[0] for m in ("pca", "linear_ae", "ae")
    }
    # Two epochs of an autoencoder are nowhere near PCA; seconds never have a best.
    assert "hg-best" in rows["pca"]
    assert "hg-best" not in rows["linear_ae"]
    assert "hg-best" not in rows["ae"]
    assert "PCA has the least squared error" in text.replace("\\", "")


def test_the_app_imports_neither_torch_nor_sklearn(runs):
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60)\n"
        "app.query_params['data'] = 'digits'\n"
        "app.run()\n"
        "assert not app.exception and 'hg-map' in ''.join(e.proto.body for e in app.get('html'))\n"
        "print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_link_survives_a_new_version_of_its_method(runs):
    spec = specs.make("digits", "pca", {"n_components": 2})
    old = links.encode(store.Spec.from_json({**spec.to_json(), "version": 0}))
    app = opened(data="digits", size="2", pca=old)
    assert not app.exception
    assert not app.warning
    assert "Not trained yet" not in shown_text(app).split("hg-method")[1]


def test_choices_of_one_page_come_back_to_it(runs):
    app = opened(data="digits", size="2")
    app.query_params.clear()
    app.run()
    assert (data(app).value, size(app).value) == ("digits", 2)
    assert query(app) == {"data": "digits", "size": "2"}


def test_a_map_of_the_rows_themselves_is_not_compared(fitted, no_shipped_runs, tmp_path, monkeypatch):
    for name in ("digits", "mnist-sample"):
        key = specs.make(name, "tsne").key
        (tmp_path / key).symlink_to(ROOT / "assets" / "runs" / key)
    pca = specs.make("digits", "pca", {"n_components": 10})
    (tmp_path / pca.key).symlink_to(fitted / pca.key)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = opened()
    assert not app.exception
    assert "t-SNE" not in shown_text(app)
    # Neither a size nor a data set is trained for having one.
    assert query(app) == {"data": "digits", "size": "10"}
    assert size(app).options == ["10"]
    assert "MNIST sample (not trained yet)" in data(app).options
    assert not opened(data="mnist-sample").exception
