"""Training on own tables: the form, a live training, a stored run, Train all, links, and what is said of rows."""

import json
from functools import partial

import pytest
import streamlit as st

from core import datasets, memory
from core.datasets.own import store
from core.runs import presets, specs
from core.runs import store as run_store
from core.tasks import queue, requests, task_files, worker_process
from pages.ui.shared import permalinks, training_offers
from tests.pages.conftest import clear_caches, fit
from tests.pages.driver import opened_on
from tests.pages.test_data import add_example

pytestmark = pytest.mark.usefixtures("read_whole", "no_shipped_runs", "no_workers")

PAGE = "pages/training.py"
page = partial(opened_on, PAGE)
SMALL = {"n_components": 2, "epochs": 2, "width": 32, "layers": 1}


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    monkeypatch.setattr(training_offers, "measure_speed", lambda: False)
    clear_caches()


@pytest.fixture
def wine():
    return add_example()


def test_form_of_a_table_has_its_presets_parameters_and_costs(wine):
    app = page(data=wine, method="vae")
    app.expect(
        "Trains for",
        "with evaluation on the test rows: ",
        "MB of memory",
        "loss curves and a map of the same test rows",
    )
    assert app.field("Preset").options == ["Quick", "Standard", "Reference"]
    app.set_state(f"settings/{wine}/vae/parameters")
    assert app.field("Width").value == str(presets.make_table_settings(142, "vae", 2, presets.SECONDS)["width"])
    labels = [widget.label for widget in (*app.text_input, *app.selectbox)]
    assert not {"Augmented share", "Network", "Word dropout"} & set(labels)


def test_preset_stays_chosen_where_the_latent_dimensions_change(wine):
    for size in (2, 5):
        app = page(data=wine, method="ae", size=str(size))
        assert app.field("Preset").value == presets.SECONDS
        noise = presets.make_table_settings(142, "ae", size, presets.SECONDS)["noise"]
        app.set_state(f"settings/{wine}/ae/parameters")
        assert float(app.field("Noise").value) == noise
    app = page(data=wine, method="ae")
    app.field("Latent dimensions").set_value("2").run()
    assert app.field("Preset").value == presets.SECONDS


def test_pca_has_at_most_as_many_dimensions_as_a_table_has_columns(wine):
    app = page(data=wine, method="pca", size="13")
    app.expect("Fitted in closed form, with evaluation on the test rows")
    app = page(data=wine, method="pca", size="14")
    app.expect("Latent dimensions is 14: it must be a whole number from 1 to 13.")
    assert app.find_button("Train").disabled
    assert [spec.method for spec in presets.list_specs(wine, 14, presets.SECONDS)] == ["linear_ae", "ae", "vae", "gan"]


def test_running_training_and_stored_run_of_a_table_are_shown(wine):
    dataset, folder = datasets.load(wine), run_store.layout.runs_folder()
    running = specs.make(wine, "vae", SMALL)
    requests.request_trainings([running], "another")
    row = {"epoch": 1.5, "step": 3, "seconds": 4.0, "rows_per_second": 123.4, "learning_rate": 0.01, "share": 0.5}
    row |= {"loss": 21.0, "reconstruction": 20.0, "kl": 1.0}
    (task_files.task_folder(running.key) / "now.json").write_text(json.dumps({"stage": "Fitting", "row": row}))
    st.cache_resource.clear()
    page(data=wine, method="vae", run=permalinks.encode(running)).expect("VAE on Wine, 2-D")
    runs = [fit(folder, dataset, "ae", SMALL, first_only=True), fit(folder, dataset, "pca", {"n_components": 2})]
    runs.append(fit(folder, dataset, "tsne", {"max_iter": 300}))
    clear_caches()
    for run in runs:
        app = page(data=wine, method=run.spec.method, run=permalinks.encode(run.spec))
        app.expect("on Wine", 'class="hg-forming"', "test rows, ").lack("Test images")
        if run.spec.method != "tsne":
            app.expect("On the test rows: Unexplained variance")
    shown = app.dataframe[0].value
    assert set(shown["Data set"]) == {"Wine"}
    assert "Unexplained variance" in shown
    keys = ",".join(run.key for run in runs)
    page(data=wine, runs=keys).expect(f"python -m core fit {wine} ae")


def test_train_all_names_time_and_memory_and_is_refused_without_memory(wine, monkeypatch):
    app = page(data=wine, method="pca", size="2").expect("up to 51", "MB of memory")
    app.press("train-all")
    assert {task.spec.method for task in queue.list_tasks()} == {"pca", "linear_ae", "ae", "vae", "gan"}
    assert {task.spec.dataset for task in queue.list_tasks()} == {wine}
    for task in queue.list_tasks():
        requests.send_command(task.key, queue.CANCEL)
    monkeypatch.setattr(memory, "available_megabytes", lambda: 100.0)
    clear_caches()
    app = page(data=wine, method="vae").expect("VAE on Wine needs about 51", "and 100 MB are free")
    assert app.find_button("Train").disabled
    assert app.find_button("train-all").disabled


def test_link_to_own_data_that_are_missing_says_how_to_bring_them(wine):
    token, exported = permalinks.encode(specs.make(wine, "ae", SMALL)), store.pack(wine)
    store.remove(wine)
    clear_caches()
    for link in ({"spec": token}, {"run": token}, {"data": wine}):
        page(**link).expect(f"The own data set {wine} is not on this machine. Its owner can")
    store.unpack(exported)
    clear_caches()
    app = page(data=wine, method="ae", spec=token)
    app.expect("Trains for 2 epochs").lack("is not on this machine")
