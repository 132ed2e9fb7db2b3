"""Compare under AppTest: choices, links, missing and broken runs, and what its table says."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version as installed

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from core.metrics.definitions import GREY_BERNOULLI
from core.runs import reader, selection, specs, store
from pages.ui.shared import cli_commands, permalinks
from tests.pages.conftest import HOSTILE
from tests.pages.driver import ROOT, opened

DIGITS = {"data": "digits", "size": "2"}
PCA_ROW = 'hg-method">PCA<'  # in the HTML of its numbers


def place_of(method: str, **params):
    return store.find_place(specs.make("digits", method, {"n_components": 2, **params}).key)


def test_first_view_is_of_what_is_trained(runs):
    app = opened()
    assert not app.warning
    assert app.query() == {"data": "digits", "size": "10"}
    assert app.read_html().count('class="hg-map"') == 4  # PCA, linear AE, AE, GAN
    app.expect(
        "PCA, a linear AE and an AE compress each Digits 8x8 image to 10 latent dimensions and reconstruct it; a GAN "
        "only generates. Trained on 1,297 images, evaluated on 500 test images."
    )


def test_choices_change_numbers_address_and_command(runs):
    app = opened().fill("Latent dimensions", 2)
    assert app.query() == DIGITS
    error = reader.read_run(place_of("pca")).metrics["squared_error"]
    for text in (f">{error.value:.2f}</span>", f"{error.low:.2f} to {error.high:.2f}", "2-D code"):
        assert text in app.body_with(PCA_ROW)
    app.query_params.clear()
    assert app.run().query() == DIGITS, "choices are remembered"
    assert app.fill("Data set", "docstrings").query() == {"data": "docstrings", "size": "2"}
    assert "python -m core compare docstrings lsa ae vae --code-size 2" in app.set_state("footer").code_blocks()


def test_another_run_of_a_method_is_chosen_and_linked(runs):
    app = opened(data="digits", size="10").set_state("choose-runs")
    both = selection.select_runs(store.list_runs()[0], "digits", "ae", 10)
    other = next(run for run in both if run.key not in app.field("AE").value)
    app.fill("AE", [other.key])
    linked = opened(**app.query())
    assert permalinks.decode(linked.query()["ae"]) == other.spec
    linked.expect(f"AE (epochs {other.spec.param('epochs')})")
    command = "python -m core compare digits pca linear_ae vae gan --code-size 10"
    shown = linked.set_state("footer").code_blocks()[-1].splitlines()
    assert shown == [command, cli_commands.format_fit(other.spec)]


def test_link_survives_a_new_version_of_its_method(runs):
    old = replace(specs.make("digits", "pca", {"n_components": 2}), version=0)
    app = opened(**DIGITS, pca="~".join([permalinks.encode(old)] * 2))
    assert not app.warning
    assert "own run" in app.body_with(PCA_ROW)


def test_broken_runs_are_named_and_the_rest_is_shown(own_copy):
    pca, linear_ae = place_of("pca"), place_of("linear_ae", epochs=2)
    (pca / "run.json").write_text("{")
    views = linear_ae / "views.safetensors"
    views.write_bytes(views.read_bytes()[:-100])
    app = opened(**DIGITS).expect(pca.name, f"{linear_ae.name}/views.safetensors is not what was written")
    assert app.read_html().count('class="hg-map"') == 2  # AE and GAN


def test_run_fitted_again_has_new_pictures_and_a_new_rank(own_copy):
    place = place_of("linear_ae", epochs=2)
    old, run = opened(**DIGITS), reader.read_run(place)
    better = {name: 255 - run.views[name] for name in ("reconstructions", "samples")}
    better["rows.squared_error"] = run.views["rows.squared_error"] / 1000
    store.write_run(replace(run, views={**run.views, **better}), reader.read_weights(place))
    new = opened(**DIGITS)
    for alt in ("The same images reconstructed by Linear AE", "Samples of Linear AE"):
        assert old.body_with(f'alt="{alt}"') != new.body_with(f'alt="{alt}"')
    assert old.body_with('alt="Samples of AE"') == new.body_with('alt="Samples of AE"')
    old.expect("PCA has the lowest squared error")
    new.expect("Linear AE has the lowest squared error")


def test_documents_are_words_and_hostile_titles_stay_text(runs, monkeypatch):
    app = opened(data="docstrings", size="2").lack("another release")
    app.expect("&lt;img src=x onerror=alert(1)&gt; $x^2$ **bold** :red[r]", "&lt;b&gt;subject 0&lt;/b&gt;")
    assert HOSTILE not in app.read_html()
    app.expect('class="hg-in"', "Precision at 15").lack("<b>subject", 'hg-method">GAN')
    monkeypatch.setattr("core.datasets.version", lambda name: "0.1" if name == "scipy" else installed(name))
    opened(data="docstrings", size="2").expect("another release of")


def test_click_on_a_picture_opens_a_dialog(runs):
    app = opened(data="digits", size="10")
    for picture in ("map-pca", "strip-pca", "samples-gan"):
        assert app.press(f"open-{picture}").get("dialog")


def test_open_drawer_has_all_measures_and_the_confusion_of_stored_codes(runs):
    app = opened(**DIGITS).lack("Linear probe").set_state("compare:measures").set_state("confusion")
    app.expect("Linear probe", "Trustworthiness", "Fréchet floor", "Parameters", "Precision of training")
    assert len(app.get("plotly_chart")) == 2
    assert cli_commands.format_fit(specs.make("digits", "pca", {"n_components": 2})) in app.code_blocks()
    first = next(c.proto for c in app.get("bidi_component") if c.proto.component_name == "hourglass_confusion")
    shown = json.loads(first.json)
    views = reader.read_run(place_of("pca")).views
    Z, y = views["codes"].astype(float), views["labels"]
    predicted = cross_val_predict(KNeighborsClassifier(15, algorithm="brute"), Z, y, cv=LeaveOneOut())
    counts = confusion_matrix(y, predicted)
    assert [shown["matrices"][0][name] for name in ("title", "counts")] == ["PCA", counts.tolist()]
    i, j = np.argwhere(counts * (1 - np.eye(10, dtype=int)))[0]
    app.set_state("confusion/all", {"cell": f"{shown['id']}:1:0:{i}:{j}"})
    app.expect(*(f'alt="test row {k}"' for k in np.flatnonzero((y == i) & (predicted == j))))


def test_bernoulli_on_grey_pixels_is_said_to_be_no_density_where_its_bound_stands():
    opened(data="mnist", size="10").lack(GREY_BERNOULLI).set_state("compare:measures").expect(GREY_BERNOULLI)


def test_compare_imports_neither_torch_nor_sklearn(runs, monkeypatch, tmp_path):
    """From the second process on: the first one reads digits through scikit-learn and stores its checksum."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = "import sys; from tests.pages.driver import opened; opened(data='digits').expect('hg-map'); "
    program += "print(sorted({'torch', 'sklearn', 'scipy', 'pydantic'} & set(sys.modules)))"
    run = lambda: subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert "sklearn" in run()
    assert run().strip() == "[]"
