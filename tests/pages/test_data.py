"""Data: a file from drop to trainings, the choices on its way, and own data sets that are changed and deleted."""

from functools import partial

import pytest

from core import datasets, memory
from core.commands import workshop
from core.datasets.own import catalogue, columns, examples, recipe, store
from core.runs import layout
from core.tasks import own_datasets, queue, worker_process
from pages.ui.shared import own_data, permalinks, training_offers
from tests.pages.conftest import HOSTILE, clear_caches, fit
from tests.pages.driver import ROOT, Page, opened, opened_on

pytestmark = pytest.mark.usefixtures("read_whole", "no_shipped_runs", "no_workers")

PAGE = "pages/data.py"
page = partial(opened_on, PAGE)
WINE = "Wine"


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    monkeypatch.setattr(training_offers, "measure_speed", lambda: False)
    clear_caches()


def drop(app, name: str, content: bytes):
    app.file_uploader[0].set_value((name, content, "text/csv"))
    return app.run()


def add_example(name: str = "wine", **choices) -> str:
    file, content = examples.make_file(name)
    brought = store.read_file(content, file)
    made = recipe.make_recipe(brought.columns, brought.table.format)
    return store.add(content, file, brought.table, made, examples.LABELS[name], **choices)


def test_two_clicks_from_an_example_to_the_trainings_of_all_methods():
    app = page().press(WINE)
    assert app.data_editor[0].value["Column"].tolist()[-1] == "class"
    assert catalogue.list_names() == []
    app.press("add-all")
    (name,) = catalogue.list_names()
    assert app.query()["data"] == name
    assert app.title[0].value == "Compare"
    asked = {task.spec for task in queue.list_tasks()}
    assert {spec.method for spec in asked} == {"pca", "linear_ae", "ae", "vae", "gan", "tsne"}
    assert {spec.param("n_components") for spec in asked if spec.method != "gan"} == {2}


def test_choices_of_reading_columns_and_preparation_are_kept_on_other_pages_and_stored_as_the_recipe():
    lines = ["day;wert;farbe"] + [f"2024-01-{k % 28 + 1:02};{k},5;{'rot' if k % 3 else 'blau'}" for k in range(60)]
    app = drop(page(), "werte.csv", "\n".join(lines).encode("utf-16"))
    app.set_state("format").set_state("preparation")
    assert app.field("Delimiter").value == ";"
    app.fill("Delimiter", "|")
    assert app.data_editor[0].value["Column"].tolist() == ["day;wert;farbe"]
    assert app.error[0].value
    assert app.find_button("add-all").disabled
    app.fill("Delimiter", ";").fill("Scaling of numbers", "robust").fill("Test rows", "time").fill("Label", None)
    app.text_input[0].set_value("Werte").run()
    app.switch_page("pages/training.py").run()
    app = app.switch_page(PAGE).run().press("add")
    app.expect("Werte is added: 48 train and 12 test rows.")
    (name,) = catalogue.list_names()
    made = store.read_recipe(name)
    assert (made.scale, made.split, made.format.encoding, made.find_column("label")) == (
        "robust",
        "time",
        "utf-16",
        None,
    )
    table = datasets.load(name).table
    assert table.frame_test["day"].min() >= table.frame_train["day"].max()


def test_an_edited_type_or_role_changes_the_recipe_and_a_role_of_one_column_is_taken_from_the_other(monkeypatch):
    from pages.ui.data import check, draft

    found = draft.Draft(examples.make_file("wine")[1], "wine.csv", "Wine")
    found.read()
    monkeypatch.setattr(
        check.st, "session_state", {"editor": {"edited_rows": {0: {"Role": "label"}, 4: {"Type": "text"}}}}
    )
    check._take_edits(found, "editor", found.columns)
    roles = {column.name: (column.type, column.role) for column in found.columns}
    assert roles["alcohol"] == (columns.NUMBER, columns.LABEL)
    assert roles["class"] == (columns.CATEGORY, columns.FEATURE)
    assert roles["magnesium"] == (columns.TEXT, columns.IGNORED)
    assert found.version == 2


def test_hostile_files_names_and_cells_are_one_sentence_or_shown_letter_by_letter():
    app = drop(page(), "none.csv", b"")
    assert [error.value for error in app.error] == ["none\\.csv\\: The file is empty\\."]
    name = f'"{HOSTILE.replace(chr(34), "")}"'
    rows = "\n".join(f"{k},{HOSTILE if k % 2 else '=1+1'},{k % 5}" for k in range(40))
    app = drop(app, f"{HOSTILE[:20]}.csv", f"{name},{name},b\n{rows}".encode())
    assert "<img src=x" not in app.read_html()
    app.fill("Label", app.data_editor[0].value["Column"][1])
    app.set_state("preparation").fill("Methods", ["ae", "tsne"]).press("add-all")
    assert {task.spec.method for task in queue.list_tasks()} == {"ae", "tsne"}
    (name,) = catalogue.list_names()
    assert "<img src=x" not in page(data=name).set_state(f"preview/{name}").read_html()


def test_an_own_data_set_is_renamed_packed_and_deleted_with_its_runs():
    name, folder = add_example(), layout.runs_folder()
    fit(folder, datasets.load(name), "pca", {"n_components": 2}, first_only=True)
    app = page(data=name)
    frame = app.dataframe[0].value.set_index("Data set")
    assert frame.loc[WINE, ["Train rows", "Test rows", "Features", "Runs", "Trained"]].tolist() == [
        142,
        36,
        13,
        1,
        "PCA",
    ]
    app.text_input[0].set_value("Three <b>wines</b>")
    app.press("rename")
    assert datasets.entry(name).label == "Three <b>wines</b>"
    packed = store.pack(name)
    app.expect("its 1 run ").press("delete")
    assert not (folder / name).exists()
    assert catalogue.list_names() == []
    app = drop(page(), "packed.zip", packed)
    assert app.text_input[0].value == "Three <b>wines</b>"
    app.press("add")
    assert catalogue.list_names() == [name]


def test_a_link_to_data_that_are_missing_says_how_to_bring_them():
    for opened_page in (page, opened):
        opened_page(data="own-0123456789ab").expect("with its recipe")


@pytest.fixture
def in_workshop(monkeypatch):
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    monkeypatch.setattr(own_data, "_seen", {})


def visit(person: str, script: str = PAGE, **query: str):
    """A page as one of several people in a workshop opens it."""
    app = Page(str(ROOT / "app.py"), default_timeout=60).switch_page(script)
    app.page = script
    app.session_state["hourglass.person"] = person
    app.query_params.update(query)
    return app.run()


def test_in_a_workshop_nobody_sees_what_another_person_brought(in_workshop):
    anna, bert = "a" * 16, "b" * 16
    app = visit(anna).press(WINE)
    app.text_input[0].set_value("Secret of Anna").run().press("add-all")
    (name,) = catalogue.list_names()
    app.expect("Secret of Anna")
    run = fit(layout.runs_folder(), datasets.load(name), "pca", {"n_components": 2}, first_only=True)
    token = permalinks.encode(run.spec)
    doors = [visit(bert, script, data=name) for script in (PAGE, "app.py", "pages/embeddings.py", "pages/training.py")]
    doors += [visit(bert, "pages/training.py", run=token), visit(bert, "pages/training.py", spec=token)]
    doors += [visit(bert, "pages/training.py", runs=run.key), visit(bert, "app.py", data="digits", pca=token)]
    for app in doors:
        text = app.read_text() + repr([list(each.options) for each in (*app.selectbox, *app.multiselect)])
        assert "Secret" not in text
        assert "wine" not in text.lower().replace('"wine"', "")
        assert not any(WINE in str(frame.value) or run.key in str(frame.value) for frame in app.dataframe)
    app = visit(bert, "pages/training.py").set_state("all-runs")
    text = app.read_text() + repr([each.options for each in app.multiselect])
    assert not any(part in text for part in (name, run.key[:6]))
    assert "Secret of Anna" in visit(anna, data=name).read_text()


def test_in_a_workshop_data_are_shared_by_a_switch_and_deleted_with_their_owner(in_workshop, monkeypatch):
    anna, bert, now = "a" * 16, "b" * 16, [1e6]
    monkeypatch.setattr(own_data.time, "monotonic", lambda: now[0])
    name = add_example(owner=anna)
    fit(layout.runs_folder(), datasets.load(name), "pca", {"n_components": 2}, first_only=True)
    app = visit(anna, data=name)
    app.toggle(key=f"{PAGE}:share/{name}").set_value(True).run()
    app = visit(bert, data=name).expect(WINE)
    assert "Delete for good" not in app.labels()
    now[0] += own_data.UNSEEN_SECONDS + 1
    visit(bert, data=name).expect(WINE)  # what is shared stays
    store.share(name, False)
    add_example(owner=bert)
    visit(bert)
    assert list(catalogue.read_about(name)["owners"]) == [bert]
    visit(bert, data=name).press("delete")
    assert catalogue.list_names() == []
    assert own_datasets.list_run_places(name) == []


def test_after_a_workshop_only_shared_data_and_those_of_the_host_are_left(monkeypatch):
    private, shared, hosts = (
        add_example(owner="a" * 16),
        add_example("diabetes", owner="a" * 16),
        add_example("breast_cancer"),
    )
    store.share(shared, True)
    monkeypatch.setattr(workshop.subprocess, "call", lambda *args, **kwargs: 0)
    workshop.serve_workshop(8501)
    assert set(catalogue.list_names()) == {shared, hosts}
    assert private not in catalogue.list_names()


def test_what_does_not_fit_into_the_memory_is_refused_before_the_click(monkeypatch):
    app = page().press(WINE).set_state("costs")
    assert not app.find_button("add-all").disabled
    assert "PCA" in app.body_with("Reference")
    monkeypatch.setattr(memory, "available_megabytes", lambda: 300.0)
    app.run()
    assert [app.find_button(name).disabled for name in ("add-all", "add")] == [True, False]
    app.fill("Methods", ["pca"])
    assert not app.find_button("add-all").disabled
