"""Compare under AppTest: choices, links, missing and broken runs, and what its table says."""

import base64
import json
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from importlib.metadata import version as installed

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from streamlit.testing.v1 import AppTest

from core import methods
from core.errors import BadInput
from core.runs import reader, selection, specs, store
from core.types import Spec
from pages.ui.shared import cli_commands, permalinks, stored_runs
from tests.pages.conftest import HOSTILE, ROOT, code_blocks, footer_opened, opened, shown_text


def choice(app: AppTest, label: str):
    return next(box for box in (*app.selectbox, *app.multiselect, *app.get("button_group")) if box.label == label)


def warnings(app: AppTest) -> str:
    return " ".join(warning.value for warning in app.warning).replace("\\", "")


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def place_of(method: str, **params):
    return store.find_place(specs.make("digits", method, {"n_components": 2, **params}).key)


def row(app: AppTest, method: str) -> str:
    """The HTML of the numbers of a method."""
    (body,) = [e.proto.body for e in app.get("html") if f'hg-method">{methods.label(method)}<' in e.proto.body]
    return body


def with_choices(app: AppTest) -> AppTest:
    app.session_state["app.py:choose-runs"] = True
    return app.run()


def with_measures(app: AppTest) -> AppTest:
    app.session_state["compare:measures"] = app.session_state["app.py:confusion"] = True
    app.run()
    assert not app.exception
    return app


def test_first_view_is_of_what_is_trained(runs):
    app = opened()
    assert not app.exception
    assert not app.warning
    assert query(app) == {"data": "digits", "size": "10"}
    text = shown_text(app).replace("\\", "")
    assert text.count('class="hg-map"') == 4  # PCA, linear AE, AE, GAN
    assert (
        "PCA, a linear AE and an AE compress each Digits 8x8 image to 10 latent dimensions and reconstruct it; a GAN "
        "only generates. Trained on 1,297 images, evaluated on 500 test images."
    ) in text


def test_choices_change_numbers_address_and_command(runs):
    app = opened()
    choice(app, "Latent dimensions").set_value(2).run()
    assert query(app) == {"data": "digits", "size": "2"}
    metrics = reader.read_run(place_of("pca")).metrics
    low, high = metrics["squared_error"].interval
    for text in (f">{metrics['squared_error'].value:.2f}</span>", f"{low:.2f} to {high:.2f}", "2-D code"):
        assert text in row(app, "pca")
    app.query_params.clear()
    app.run()
    assert query(app) == {"data": "digits", "size": "2"}, "choices are remembered"
    choice(app, "Data set").set_value("docstrings").run()
    assert not app.exception
    assert query(app) == {"data": "docstrings", "size": "2"}
    assert "python -m core compare docstrings lsa ae vae --code-size 2" in code_blocks(footer_opened(app))


def test_another_run_of_a_method_is_chosen_and_linked(runs):
    app = with_choices(opened(data="digits", size="10"))
    box = choice(app, "AE")
    both = selection.select_runs(store.list_runs()[0], "digits", "ae", 10)
    other = next(run for run in both if run.key not in box.value)
    box.set_value([other.key]).run()
    assert not app.exception
    linked = opened(**query(app))
    assert permalinks.decode(query(linked)["ae"]) == other.spec
    assert f"AE (epochs {other.spec.param('epochs')})" in shown_text(linked), "named by its setting"
    assert code_blocks(footer_opened(linked))[-1].splitlines() == [
        "python -m core compare digits pca linear_ae vae gan --code-size 10",
        cli_commands.format_fit(other.spec),
    ]


def test_link_survives_a_new_version_of_its_method(runs):
    old = Spec.from_json({**specs.make("digits", "pca", {"n_components": 2}).to_json(), "version": 0})
    app = opened(data="digits", size="2", pca=permalinks.encode(old))
    assert not app.exception
    assert not app.warning
    assert "own run" in row(app, "pca")


def test_forged_links_are_refused():
    def token(text: bytes) -> str:
        return base64.urlsafe_b64encode(zlib.compress(text)).decode().rstrip("=")

    good = {"dataset": "digits", "dataset_params": {}, "method": "ae", "params": {}, "seed": 0, "version": 1}
    forged = [{"seed": 1e999}, {"params": [1, 2]}, {"params": {"n_components": 2}}]
    forged += [{"params": {"n_components": 10, "epochs": value}} for value in (-5, float("nan"), [1])]
    tokens = [token(json.dumps(good | change).encode()) for change in forged]
    tokens += [token(text) for text in (b"[" * 4000, b"\xff\xfe", b"0" * 10_000_000)]
    for text in (*tokens, "é", "A" * 100_000):
        with pytest.raises(BadInput):
            stored_runs.parse_linked_run(text, "digits", "ae", 10)
    for size in ("0", "²", "257"):
        with pytest.raises(BadInput):
            stored_runs.parse_code_size(size)


@pytest.fixture
def own_copy(runs, tmp_path, monkeypatch):
    """A folder of runs that a test may change."""
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    return folder


def test_broken_runs_are_named_and_the_rest_is_shown(own_copy):
    pca, linear_ae = place_of("pca"), place_of("linear_ae", epochs=2)
    (pca / "run.json").write_text("{")
    views = linear_ae / "views.safetensors"
    views.write_bytes(views.read_bytes()[:-100])
    app = opened(data="digits", size="2")
    assert not app.exception
    assert pca.name in warnings(app)
    assert f"{linear_ae.name}/views.safetensors is not what was written" in shown_text(app)
    assert shown_text(app).count('class="hg-map"') == 2  # AE and GAN


def test_run_fitted_again_has_new_pictures_and_a_new_rank(own_copy):
    place = place_of("linear_ae", epochs=2)
    old = opened(data="digits", size="2")
    run = reader.read_run(place)
    better = {
        "map": run.views["map"][:, ::-1] ** 2,
        "reconstructions": 255 - run.views["reconstructions"],
        "samples": 255 - run.views["samples"],
        "rows.squared_error": run.views["rows.squared_error"] / 1000,
    }
    store.write_run(replace(run, views={**run.views, **better}), reader.read_weights(place))
    new = opened(data="digits", size="2")
    assert not new.exception
    for alt in ("The same images reconstructed by Linear AE", "Samples of Linear AE"):
        assert picture(old, alt) != picture(new, alt)
    assert picture(old, "Samples of AE") == picture(new, "Samples of AE")
    assert "hg-best" not in row(old, "ae"), "two epochs are nowhere near PCA"
    assert "PCA has the lowest squared error" in shown_text(old).replace("\\", "")
    assert "Linear AE has the lowest squared error" in shown_text(new).replace("\\", "")


def picture(app: AppTest, alt: str) -> str:
    return next(element.proto.body for element in app.get("html") if f'alt="{alt}"' in element.proto.body)


def test_documents_are_words_and_hostile_titles_stay_text(runs, monkeypatch):
    app = opened(data="docstrings", size="2")
    assert not app.exception
    assert "another release" not in warnings(app)
    text = shown_text(app)
    assert "&lt;img src=x onerror=alert(1)&gt; $x^2$ **bold** :red[r]" in text
    assert "&lt;b&gt;subject 0&lt;/b&gt;" in text
    assert "<b>subject" not in text
    assert HOSTILE not in text
    assert 'class="hg-in"' in text
    assert "Precision at 15" in text
    assert 'hg-method">GAN' not in text
    monkeypatch.setattr("core.datasets.version", lambda name: "0.1" if name == "scipy" else installed(name))
    assert "another release of" in warnings(opened(data="docstrings", size="2"))


def test_click_on_a_picture_opens_a_dialog(runs):
    app = opened(data="digits", size="10")
    for picture in ("map-pca", "strip-pca", "samples-gan"):
        app.button(key=f"compare:open-{picture}").click().run()
        assert not app.exception
        assert app.get("dialog")


def test_open_drawer_has_all_measures_and_the_confusion_of_stored_codes(runs):
    app = opened(data="digits", size="2")
    assert "Linear probe" not in shown_text(app)
    text = shown_text(with_measures(app))
    for label in ("Linear probe", "Trustworthiness", "Fréchet floor", "Parameters", "Precision of training"):
        assert label in text
    assert len(app.get("plotly_chart")) == 2
    assert cli_commands.format_fit(specs.make("digits", "pca", {"n_components": 2})) in code_blocks(app)
    first = next(c.proto for c in app.get("bidi_component") if c.proto.component_name == "hourglass_confusion")
    shown = json.loads(first.json)
    views = reader.read_run(place_of("pca")).views
    Z, y = views["codes"].astype(float), views["labels"]
    predicted = cross_val_predict(KNeighborsClassifier(15, algorithm="brute"), Z, y, cv=LeaveOneOut())
    counts = confusion_matrix(y, predicted)
    assert shown["matrices"][0]["title"] == "PCA"
    assert shown["matrices"][0]["counts"] == counts.tolist()
    i, j = np.argwhere(counts * (1 - np.eye(10, dtype=int)))[0]
    app.session_state["app.py:confusion/all"] = {"cell": f"{shown['id']}:1:0:{i}:{j}"}
    app.run()
    assert all(f'alt="test row {k}"' in shown_text(app) for k in np.flatnonzero((y == i) & (predicted == j)))


def test_compare_imports_neither_torch_nor_sklearn(runs, monkeypatch, tmp_path):
    """From the second process on: the first one reads digits through scikit-learn and stores its checksum."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60)\n"
        "app.query_params['data'] = 'digits'\n"
        "app.run()\n"
        "assert not app.exception and 'hg-map' in ''.join(e.proto.body for e in app.get('html'))\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'pydantic'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    first, second = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout
        for _ in range(2)
    )
    assert "sklearn" in first
    assert second.strip() == "[]"
