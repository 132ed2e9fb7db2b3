"""Training: the form, what is asked of the queue, each state of a training, and the stored runs."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from safetensors.numpy import save_file

from core import methods
from core.analysis import snapshots
from core.metrics.definitions import GREY_BERNOULLI
from core.runs import layout, presets, reader, selection, specs, store
from core.tasks import queue, requests, task_files
from pages.ui.shared import permalinks, run_picker, training_queue
from pages.ui.training.setting_labels import label_setting
from tests.pages.conftest import HOSTILE, weighted_lsa
from tests.pages.driver import ROOT, opened, opened_on

pytestmark = pytest.mark.usefixtures("read_whole", "folder")

PAGE = "pages/training.py"
page = partial(opened_on, PAGE)
TSNE = specs.make("digits", "tsne")
ROW = {"epoch": 2.5, "step": 10, "seconds": 4.0, "rows_per_second": 12345.6, "learning_rate": 0.01, "share": 0.5}
ROW |= {"loss": 21.0, "reconstruction": 20.0, "kl": 1.0}


def again(app):
    """The page a moment later, when the queue has changed."""
    st.cache_resource.clear()
    return app.run()


def title(app) -> str:
    return app.header[0].value.replace("\\", "")


def vae(**params):
    return specs.make("digits", "vae", {"epochs": 3, "width": 32, **params})


def opened_with(spec):
    return page(data=spec.dataset, method=spec.method, spec=permalinks.encode(spec))


def start(spec, *, person="another", row=ROW, rows=2) -> None:
    """Put a training into the queue as a worker leaves it half-way."""
    requests.request_trainings([spec], person)
    folder = task_files.task_folder(spec.key)
    (folder / "now.json").write_text(json.dumps({"stage": "Fitting", "row": row}))
    lines = [json.dumps({**row, "epoch": epoch}) for epoch in range(1, rows + 1)]
    (folder / "progress.jsonl").write_text("".join(f"{line}\n" for line in lines))
    st.cache_resource.clear()


def of_digits(method: str) -> list:
    return [run for run in store.list_runs()[0] if (run.spec.dataset, run.spec.method) == ("digits", method)]


def test_page_opens_on_the_newest_run_of_the_form(folder):
    app = page(data="digits", method="ae")
    assert [*app.warning, *queue.list_tasks()] == []
    assert title(app).startswith("AE on Digits")
    app.expect("On the test rows: Squared error", 'class="hg-forming"')
    other = weighted_lsa(folder, "log")
    app = page(data="docstrings", method="lsa", size="2")
    assert title(app).startswith("LSA on Docstrings")
    assert "LSA (log counts), 2-D" in app.dataframe[0].value["Run"].tolist()
    assert title(page(run=permalinks.encode(other.spec))).startswith("LSA (log counts) on Docstrings")


def test_a_preset_sets_the_parameters_that_are_trained_and_each_has_a_widget_with_its_bounds():
    for preset, method in ((presets.SECONDS, "linear_ae"), (presets.MINUTE, "vae"), (presets.BEST, "gan")):
        app = page(data="digits", method=method).set_state(f"settings/digits/{method}/parameters")
        help_of = {widget.label: widget.help.replace("\\", "") for widget in (*app.text_input, *app.selectbox)}
        for param in methods.get(method).params_of("images"):
            bound = "" if isinstance(param.default, str) else str(param.bounds[-1])
            assert all(text in help_of[label_setting(param.name)] for text in (param.help, bound))
        app.fill("Preset", preset).fill("Latent dimensions", "7").press("Train")
        expected = {"n_components": 7, **presets.list_presets("digits", method, 10)[preset]}
        assert specs.make("digits", method, expected) in [job.spec for job in queue.list_tasks()]


def test_a_value_that_is_not_allowed_is_refused_at_its_widget():
    drawer = "settings/digits/vae/parameters"
    for label, value, allowed in (
        ("Learning rate", "2.0", "a number from 1e-06 to 1.0"),
        ("Latent dimensions", "0", "a whole number from 1 to 256"),
        ("Width", "", "a whole number from 8 to 4096"),
    ):
        sentence = f"{label} is {value or 'empty'}: it must be {allowed}."
        app = page(data="digits", method="vae").set_state(drawer).fill(label, value).expect(sentence)
        assert app.find_button("Train").disabled
        app.set_state(drawer, False).expect(sentence)


def test_nonsense_in_a_link_does_not_break_the_page():
    for name in ("run", "spec", "data", "method", "size", "preset", "runs", "curves"):
        assert page(**{"data": "digits", name: HOSTILE}).lack(HOSTILE).find_button("Train")


def test_the_panel_follows_the_form_and_names_what_differs():
    app = page(data="digits", method="ae", size="2")
    assert title(app) == "AE on Digits 8x8, 2-D"
    app.expect("Settings that differ from the form").fill("Latent dimensions", "10")
    assert title(app) == "AE on Digits 8x8, 10-D"
    app.fill("Latent dimensions", "30").expect("Nothing is trained with these settings yet. Press Train: loss curves")
    # A link to a form does not show the run that was watched before.
    app = page(run=permalinks.encode(TSNE)).switch_page("pages/tour.py").run()
    app.query_params.clear()
    for name, value in {"data": "digits", "method": "vae", "preset": "reference"}.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run().lack("t-SNE on Digits")
    app.set_state("settings/digits/vae/parameters").fill("Pixels", "dynamic").press("Train")
    (task,) = queue.list_tasks()
    assert (task.spec.param("epochs"), task.spec.dataset_params) == (300, (("pixels", "dynamic"),))
    assert title(app) == "VAE on Digits 8x8 (pixels: dynamic), 10-D"


def test_train_asks_the_queue_and_the_page_follows_it():
    app = opened_with(vae()).set_state("settings/digits/vae/parameters").press("Train")
    (job,) = queue.list_tasks()
    assert job.spec == vae() == permalinks.decode(app.query_params["run"])
    assert not app.session_state[f"{PAGE}:settings/digits/vae/parameters"]
    app.expect("scrollIntoView", "number 1 in the queue, it is next", "In the queue.")
    start(vae(), person=job.people[0])
    again(app).lack("scrollIntoView").expect("Training now.")
    assert app.get("progress")[0].proto.text == "Epoch 2.5 of 3 · 12,346 images per second · about 4 s left"
    app.press("Pause")
    assert queue.find_task(vae().key).command == queue.PAUSE
    task_files.remove_task(task_files.task_folder(vae().key))
    assert not again(app).expect("Not trained yet").get("progress")
    app.press("Train it")
    assert [job.spec for job in queue.list_tasks()] == [vae()]


def test_a_shared_training_is_stopped_after_a_question():
    start(vae())
    app = opened_with(vae()).expect("Training now: another person asked for it").press("Show progress")
    assert [len(job.people) for job in queue.list_tasks()] == [2]
    again(app).expect("One other person watches this training too").press("Cancel")
    assert queue.find_task(vae().key).command == ""
    app.expect("One other person has asked for this training too. Cancel it for all?")
    app.press("Back").press("Stop and keep").press("Stop and keep for all")
    assert queue.find_task(vae().key).command == queue.KEEP


def test_a_training_that_ended_is_resumed():
    start(vae())
    folder = task_files.task_folder(vae().key)
    (folder / "now.json").unlink()
    (folder / "done.json").write_text(json.dumps({"state": "failed", "message": "It *diverged* $x$."}))
    app = page(run=permalinks.encode(vae())).expect("It *diverged* $x$.")
    assert {"Resume", "Discard", "Stop and keep"} & set(app.labels()) == {"Resume", "Discard"}
    (folder / "done.json").write_text(json.dumps({"state": "paused"}))
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    assert "Stop and keep" in again(app).expect("Paused. It resumes from its last checkpoint.").labels()
    app.press("Resume")
    assert queue.find_task(vae().key).state == queue.QUEUED


def test_queue_is_listed_in_order_and_failures_are_dismissed():
    for size in (3, 1, 2):
        requests.request_trainings([specs.make("digits", "ae", {"epochs": 3, "n_components": size})], "somebody")
    # A failure is forgotten once the run is stored.
    for spec in (vae(), of_digits("pca")[0].spec):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests, "is_stored", lambda key: False)
            requests.request_trainings([spec], "somebody")
        task_files.end_task(task_files.task_folder(spec.key), queue.FAILED, "It broke.")
    app = page(data="digits", method="ae")
    parts = [text for text in app.read_text().split("AE on Digits 8x8, ") if "waiting, number" in text]
    assert [part[:3] for part in parts] == ["3-D", "1-D", "2-D"]
    assert app.labels().count("Dismiss") == 1
    app.press("Dismiss")
    assert vae() not in [job.spec for job in queue.list_tasks()]


def test_curves_and_findings_of_a_training():
    spec = vae(validation=0.2, augment=0.5, beta=50.0)
    start(spec, row={**ROW, "validation_loss": 29.0})
    page(run=permalinks.encode(spec)).expect("training 21, validation 29", "off in the last tenth").lack("lower beta")
    page(run=permalinks.encode(spec)).expect(GREY_BERNOULLI)
    task_files.remove_task(task_files.task_folder(spec.key))
    start(spec, row={**ROW, "kl": 0.003})
    page(run=permalinks.encode(spec)).expect("the KL term is 0.00 nats", "lower beta")


def replay(n_epochs: int) -> dict[str, np.ndarray]:
    rng, epochs, rows = np.random.default_rng(0), np.arange(n_epochs, dtype=np.float32), np.arange(30, dtype=np.int32)
    about = {"map": "the 2-D code", "samples": HOSTILE, "target_names": list("0123456789"), "image_shape": [8, 8]}
    images = rng.integers(0, 255, (2, n_epochs, 4, 64)).astype(np.uint8)
    arrays = {"epochs": epochs, "seconds": epochs.copy(), "rows": rows, "labels": (rows % 10).astype(np.int16)}
    arrays |= {"map": rng.normal(size=(n_epochs, 30, 2)).astype(np.float16)}
    arrays |= {"reconstructions": images[0], "samples": images[1]}
    return arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}


def test_snapshots_are_shown_live_and_replayed(folder):
    start(vae())
    save_file(replay(3), task_files.task_folder(vae().key) / snapshots.FILE)
    page(run=permalinks.encode(vae())).expect('aria-label="After epoch 2"')
    run = of_digits("ae")[0]
    place = store.find_place(run.key).resolve()
    (folder / layout.folder_name(run.spec)).unlink()
    store.write_run(reader.read_run(place), reader.read_weights(place), replay=replay(5))
    app = page(run=permalinks.encode(run.spec))
    assert app.field("Epoch").value == 4
    last = app.read_html()
    app.fill("Epoch", 0).expect('aria-label="After epoch 0"').lack(HOSTILE)
    assert app.read_html() != last


def test_tsne_is_trained_without_latent_dimensions_and_not_compared(folder):
    app = page(data="digits", method="tsne", size="10").expect("Maps the rows in up to 750 iterations")
    app.lack("closed form").set_state("settings/digits/tsne/parameters").fill("Perplexity", "20")
    assert "Latent dimensions" not in [field.label for field in app.text_input]
    app.press("Train")
    assert queue.list_tasks()[0].spec == specs.make("digits", "tsne", {"perplexity": 20.0})
    place = layout.place_of(ROOT / "assets" / "runs", TSNE)
    (folder / place.name).symlink_to(place)
    app = page(run=permalinks.encode(TSNE), runs=TSNE.key).expect("kNN accuracy").lack("No snapshots")
    assert title(app) == "t-SNE on Digits 8x8, 2-D"
    assert "See it in Compare" not in app.links()
    assert "See it in Compare" in page(data="digits", method="pca").links()


def test_chosen_runs_are_compared(folder):
    runs = [run for run in of_digits("ae") if selection.code_size(run) == 10]
    app = page(data="digits", method="ae", runs=",".join(run.key for run in (*runs, *runs)))
    app.expect(*(f"epochs {run.spec.param('epochs')}, {run.key[:6]}" for run in runs)).fill("Curves over", "seconds")
    overlay = next(figure for figure in app.charts() if len(figure["data"]) > 1)
    assert len(overlay["data"]) == len(runs) == 2
    assert overlay["layout"]["xaxis"]["title"]["text"] == "seconds of training"
    assert app.query_params["curves"] == "seconds"
    assert "runs" not in app.fill("Compare runs", []).query()
    compare = opened(**run_picker.to_query([run.spec for run in runs]))
    compare.expect(*(f">{run.metrics['squared_error'].value:.2f}</span>" for run in runs))


def test_a_linked_run_prevails_over_the_data_and_method_of_its_link():
    app = page(data="fashion-sample", method="pca", spec=permalinks.encode(vae()))
    assert (app.field("Data set").value, app.field("Method").value) == ("digits", "vae")


def test_shipped_runs_can_not_be_deleted(folder, monkeypatch):
    assert "Delete for good" in page(data="digits", runs=of_digits("ae")[0].key).labels()
    monkeypatch.setattr(layout, "SHIPPED", folder)
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder / "none"))
    labels = page(data="digits", runs=of_digits("ae")[0].key).labels()
    assert {"Replay", "Delete for good"} & set(labels) == {"Replay"}


def test_a_workshop_has_short_trainings_one_per_person_and_no_deletion(monkeypatch):
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    app = page(data="digits", method="vae", runs=of_digits("ae")[0].key)
    assert "Delete for good" not in app.labels()
    assert presets.BEST not in app.field("Preset").options
    app.press("Train").fill("Latent dimensions", "3").press("Train").expect("You have a training waiting already")
    opened_with(vae(epochs=900)).press("Train").expect("is too much for a workshop")
    assert len(queue.list_tasks()) == 1


def test_a_person_is_known_by_the_browsers_cookie(monkeypatch):
    def person(**cookies: str) -> str:
        monkeypatch.setattr(training_queue.st, "context", SimpleNamespace(cookies=cookies))
        monkeypatch.setattr(training_queue.st, "session_state", {})
        return training_queue.get_person()

    assert person(hourglass_person="0123456789abcdef") == "0123456789abcdef"
    assert len({person(), person(), person(hourglass_person="../../x"), person(hourglass_person="")}) == 4
