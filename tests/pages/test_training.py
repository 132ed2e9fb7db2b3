"""Training under AppTest: what is chosen, what is asked of the queue, and how each state of a training is shown."""

import json
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, methods, recipes, replay, specs, store
from core.types import HourglassError
from pages.ui import links, trainings
from tests.pages.conftest import HOSTILE, ROOT, opened_on, shown_text, weighted_lsa

DIGITS = {"epochs": 3, "width": 32}


@pytest.fixture
def runs_folder(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """The fitted runs by links, so that trainings asked for here do not stay; no worker ever starts."""
    for place in fitted.iterdir():
        if not place.name.startswith("."):
            (tmp_path / place.name).symlink_to(place)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(jobs, "start_worker", lambda: None)
    trainings._listed.clear()
    return tmp_path


def training(**query: str) -> AppTest:
    return opened_on("pages/training.py", **query)


def again(app: AppTest) -> AppTest:
    trainings._listed.clear()
    return app.run()


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def labels(app: AppTest) -> list[str]:
    return [b.label for b in app.button]


def group(app: AppTest, label: str):
    return next(g for g in app.get("button_group") if g.label == label)


def field(app: AppTest, label: str):
    return next(n for n in app.text_input if n.label == label)


def said(app: AppTest) -> str:
    parts = [*app.info, *app.warning, *app.error, *app.success, *app.caption, *app.markdown]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def spec_of(**params):
    return specs.make("digits", "vae", {**DIGITS, **params})


def under_way(spec, *, share=0.5, stage="Fitting", rows=2, person="another") -> jobs.Job:
    """A training as a worker would leave its folder at this moment."""
    jobs.request(spec, person)
    folder = jobs.folder_of(spec.key)
    row = {"epoch": 2.5, "step": 10, "seconds": 4.0, "rows_per_second": 12345.6, "learning_rate": 0.01, "share": share}
    row |= {"loss": 21.0, "reconstruction": 20.0, "kl": 1.0}
    jobs.write_json(folder / "now.json", {"stage": stage, "row": row})
    with (folder / "progress.jsonl").open("w") as file:
        for epoch in range(1, rows + 1):
            file.write(json.dumps({**row, "epoch": epoch}) + "\n")
    trainings._listed.clear()
    return jobs.find(spec.key)


def test_opens_on_the_newest_run_of_the_choice_and_starts_nothing(runs_folder):
    app = training(data="digits", method="ae")
    assert not app.exception
    assert not app.warning
    assert jobs.jobs() == []
    assert app.subheader[0].value.startswith("AE on Digits")
    assert "On the test rows: Squared error" in said(app)
    assert 'class="hg-forming"' in shown_text(app)


def test_lsa_under_a_weaker_weighting_is_named_so_and_not_what_training_opens_on(runs_folder):
    other = weighted_lsa(runs_folder, "log")
    stored = store.index()[0]
    assert max(stored, key=lambda run: run.environment["date"]).key == other.key
    app = training(data="docstrings", method="lsa")
    assert not app.exception
    assert app.subheader[0].value.startswith("LSA on Docstrings")
    table = app.dataframe[0].value
    assert sorted(table["Run"]) == ["AE, 2-D", "LSA (log counts), 2-D", "LSA, 2-D", "VAE, 2-D"]
    app = training(run=links.encode(other.spec))
    assert app.subheader[0].value.replace("\\", "").startswith("LSA (log counts) on Docstrings")


@pytest.mark.parametrize("method", ["pca", "linear_ae", "ae", "vae", "gan"])
def test_every_declared_parameter_has_a_widget_with_its_bounds(runs_folder, method):
    app = training(data="digits", method=method)
    app.session_state[f"pages/training.py:settings/digits/{method}/parameters"] = True
    app.run()
    assert not app.exception
    shown = {w.label: w.help for w in (*app.text_input, *app.selectbox)}
    for param in methods.get(method).params_of("images"):
        label = "Code size" if param.name == "n_components" else param.name.replace("_", " ").capitalize()
        about = shown[label].replace("\\", "")
        assert param.help in about
        assert str(param.bounds[-1]) in about


@pytest.mark.parametrize("method", ["linear_ae", "ae", "vae", "gan"])
@pytest.mark.parametrize("preset", [recipes.SECONDS, recipes.MINUTE, recipes.BEST])
def test_a_preset_sets_the_parameters_that_are_asked_for(runs_folder, method, preset):
    app = training(data="digits", method=method)
    group(app, "Preset").set_value(preset).run()
    field(app, "Code size").set_value("7").run()
    button(app, "Train").click().run()
    assert not app.exception
    (job,) = jobs.jobs()
    expected = {"n_components": 7, **recipes.presets("digits", method, 10)[preset]}
    assert job.spec == specs.make("digits", method, expected)


@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Learning rate", "2.0", "learning_rate=2.0 is not allowed: learning_rate is a number from 1e-06 to 1.0."),
        (
            "Learning rate",
            "NaN",
            "learning_rate=NaN is not allowed: learning_rate is a number from 1e-06 to 1.0.",
        ),
        ("Code size", "0", "n_components=0 is not allowed: n_components is a whole number from 1 to 256."),
        ("Epochs", "5000", "epochs=5000 is not allowed: epochs is a whole number from 1 to 1000."),
        ("Epochs", "2.5", "epochs=2.5 is not allowed: epochs is a whole number from 1 to 1000."),
        ("Beta", "lots", "beta=lots is not allowed: beta is a number from 0.0 to 100.0."),
        ("Width", "", "width is empty: it is a whole number from 8 to 4096."),
    ],
)
def test_a_bad_parameter_is_refused_at_its_widget(runs_folder, label, value, sentence):
    app = training(data="digits", method="vae")
    app.session_state["pages/training.py:settings/digits/vae/parameters"] = True
    app.run()
    field(app, label).set_value(value).run()
    assert not app.exception
    assert sentence in said(app)
    assert button(app, "Train").disabled
    app.session_state["pages/training.py:settings/digits/vae/parameters"] = False
    assert sentence in said(app.run()), "forgotten when its drawer was shut"


def test_train_asks_the_queue_and_the_page_watches_it(runs_folder):
    app = training(data="digits", method="vae", spec=links.encode(spec_of()))
    button(app, "Train").click().run()
    assert not app.exception
    (job,) = jobs.jobs()
    assert job.spec == spec_of()
    assert "number 1 in the queue, it is next" in said(app)
    assert links.decode(app.query_params["run"]) == job.spec
    under_way(spec_of())
    again(app)
    assert not app.exception
    assert app.get("progress")[0].proto.text == "Epoch 2.5 of 3 · 12,346 images a second · about 4 s left"
    assert {"Pause", "Stop and keep", "Cancel"} <= set(labels(app))


def test_a_link_opens_on_the_training_it_names(runs_folder):
    under_way(spec_of())
    app = training(run=links.encode(spec_of()))
    assert app.subheader[0].value.replace("\\", "") == "VAE on Digits 8x8, 10-D"
    assert app.get("progress")


def test_a_link_to_what_is_not_here_offers_to_train_it(runs_folder):
    app = training(run=links.encode(spec_of(epochs=77)))
    assert "Not trained yet" in said(app)
    button(app, "Train it").click().run()
    assert jobs.jobs()[0].spec == spec_of(epochs=77)


@pytest.mark.parametrize("name", ["run", "spec", "data", "method", "size", "runs", "curves"])
@pytest.mark.parametrize("value", ["nonsense", "<b>$x$</b>", "9" * 5000])
def test_nonsense_in_a_link_is_one_sentence(runs_folder, name, value):
    app = training(**{"data": "digits", name: value})
    assert not app.exception
    assert button(app, "Train")


def test_those_who_ask_for_the_same_share_one(runs_folder):
    under_way(spec_of(), person="first")
    app = training(data="digits", method="vae", spec=links.encode(spec_of()))
    assert "This very training is under way" in said(app)
    next(b for b in app.button if b.label == "Watch").click().run()
    assert len(jobs.jobs()) == 1
    assert len(jobs.jobs()[0].askers) == 2
    assert "One other person watches this training too" in said(again(app))


def test_stopping_a_shared_one_asks_first(runs_folder):
    under_way(spec_of(), person="first")
    app = training(run=links.encode(spec_of()))
    button(app, "Cancel").click().run()
    assert jobs.find(spec_of().key).stopping == ""
    assert "One other person has asked for this training too. Cancel it for all?" in said(app)
    button(app, "Back").click().run()
    assert "for all?" not in said(app)
    button(app, "Stop and keep").click().run()
    button(app, "Stop and keep for all").click().run()
    assert not app.exception
    assert jobs.find(spec_of().key).stopping == jobs.KEEP


def test_stopping_ones_own_does_not_ask(runs_folder):
    app = training(data="digits", method="vae", spec=links.encode(spec_of()))
    button(app, "Train").click().run()
    (who,) = jobs.jobs()[0].askers
    under_way(spec_of(), person=who)
    button(again(app), "Pause").click().run()
    assert jobs.find(spec_of().key).stopping == jobs.PAUSE
    assert "Pausing" in said(again(app))


@pytest.mark.parametrize(
    ("done", "sentence", "offered"),
    [
        ({"state": "paused"}, "Paused", {"Resume", "Discard"}),
        ({"state": "failed", "message": "It *diverged* $x$."}, "It *diverged* $x$.", {"Resume", "Discard"}),
    ],
)
def test_a_training_that_ended_can_be_resumed_or_discarded(runs_folder, done, sentence, offered):
    under_way(spec_of())
    folder = jobs.folder_of(spec_of().key)
    (folder / "now.json").unlink()
    jobs.write_json(folder / "done.json", done)
    app = training(run=links.encode(spec_of()))
    assert not app.exception
    assert sentence in said(app)
    assert offered <= set(labels(app))
    assert "Stop and keep" not in labels(app), "nothing is learned yet"
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    assert "Stop and keep" in labels(again(app))
    button(app, "Resume").click().run()
    assert jobs.find(spec_of().key).state == jobs.QUEUED


def test_a_full_queue_is_one_sentence_and_the_page_goes_on(runs_folder):
    for seed in range(jobs.MOST_WAITING):
        jobs.request(specs.make("digits", "vae", DIGITS, seed), "somebody")
    app = training(data="digits", method="vae", spec=links.encode(spec_of(epochs=9)))
    button(app, "Train").click().run()
    assert not app.exception
    assert f"the queue holds {jobs.MOST_WAITING}" in said(app)
    assert len(jobs.jobs()) == jobs.MOST_WAITING


def test_the_queue_is_listed_in_its_order(runs_folder):
    for seed in (3, 1, 2):
        jobs.request(specs.make("digits", "ae", {**DIGITS, "n_components": seed}), "somebody")
    app = training(data="digits")
    listed = [text for text in said(app).split("AE on Digits 8x8, ") if "waiting, number" in text]
    assert [text[:3] for text in listed] == ["3-D", "1-D", "2-D"]


def a_replay(n_epochs: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    about = {"map": "the 2-D code", "samples": HOSTILE, "target_names": list("0123456789"), "image_shape": [8, 8]}
    return {
        "epochs": np.arange(n_epochs, dtype=np.float32),
        "seconds": np.arange(n_epochs, dtype=np.float32),
        "map": rng.normal(size=(n_epochs, 30, 2)).astype(np.float16),
        "reconstructions": rng.integers(0, 255, (n_epochs, 4, 64)).astype(np.uint8),
        "samples": rng.integers(0, 255, (n_epochs, 4, 64)).astype(np.uint8),
        "rows": np.arange(30, dtype=np.int32),
        "labels": (np.arange(30) % 10).astype(np.int16),
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
    }


def test_the_epoch_slider_goes_back_through_the_pictures(runs_folder):
    run = next(run for run in store.index()[0] if run.spec.method == "ae" and run.spec.dataset == "digits")
    place = store.find(run.key).resolve()
    (runs_folder / run.key).unlink()
    store.write(store.read(place), store.arrays(place), replay=a_replay(5))
    app = training(run=links.encode(run.spec))
    assert not app.exception
    slider = next(s for s in app.select_slider if s.label == "Epoch")
    assert slider.value == 4
    last = shown_text(app)
    slider.set_value(0).run()
    assert not app.exception
    assert 'aria-label="After epoch 0"' in shown_text(app)
    assert shown_text(app) != last
    assert HOSTILE not in shown_text(app)


def test_pictures_of_a_training_show_while_it_runs(runs_folder):
    under_way(spec_of())
    from safetensors.numpy import save_file

    save_file(a_replay(3), jobs.folder_of(spec_of().key) / replay.FILE)
    app = training(run=links.encode(spec_of()))
    assert 'aria-label="After epoch 2"' in shown_text(app)


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_curves_of_several_runs_lie_over_one_another(runs_folder):
    keys = [run.key for run in store.index()[0] if run.spec.method == "ae" and run.spec.dataset == "digits"]
    app = training(data="digits", method="ae", runs=",".join(keys))
    assert not app.exception
    overlay = next(figure for figure in figures(app) if len(figure["data"]) > 1)
    assert len(overlay["data"]) == len(keys)
    assert overlay["layout"]["xaxis"]["title"]["text"] == "epoch"
    group(app, "Curves over").set_value("seconds").run()
    overlay = next(figure for figure in figures(app) if len(figure["data"]) > 1)
    assert overlay["layout"]["xaxis"]["title"]["text"] == "seconds of training"
    assert app.query_params["curves"] == "seconds"


def test_own_runs_are_deleted_and_no_others(runs_folder, monkeypatch):
    run = next(run for run in store.index()[0] if run.spec.method == "pca" and run.spec.dataset == "digits")
    place = store.find(run.key).resolve()
    (runs_folder / run.key).unlink()
    store.write(store.read(place), store.arrays(place))
    app = training(data="digits", method="pca", runs=run.key)
    button(app, "Delete for good").click().run()
    assert not app.exception
    assert store.find(run.key) is None
    with monkeypatch.context() as patch:
        patch.setattr(store, "SHIPPED", runs_folder)
        patch.setenv("HOURGLASS_RUNS", str(runs_folder / "none"))
        other = next(run for run in store.index()[0] if run.spec.dataset == "digits")
        app = training(data="digits", runs=other.key)
        assert "Look back" in labels(app)
        assert "Delete for good" not in labels(app)


def test_a_workshop_deletes_nothing_and_keeps_nobody_waiting(runs_folder, monkeypatch):
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    run = next(run for run in store.index()[0] if run.spec.dataset == "digits")
    app = training(data="digits", method="vae", runs=run.key)
    assert "Delete for good" not in labels(app)
    assert recipes.BEST not in group(app, "Preset").options
    button(app, "Train").click().run()
    assert len(jobs.jobs()) == 1
    field(app, "Code size").set_value("3").run()
    button(app, "Train").click().run()
    assert "You have a training waiting already" in said(app)
    assert len(jobs.jobs()) == 1
    app = training(data="digits", method="vae", spec=links.encode(spec_of(epochs=900)))
    button(app, "Train").click().run()
    assert "is not for a workshop" in said(app)
    assert len(jobs.jobs()) == 1


def test_the_person_is_the_browsers_and_not_the_tabs(monkeypatch):
    def cookie(token: bytes, mask: bytes) -> str:
        masked = bytes(b ^ mask[k % 4] for k, b in enumerate(token))
        return f"2|{mask.hex()}|{masked.hex()}|1700000000"

    token = bytes(range(16))
    assert trainings._xsrf_token(cookie(token, b"\x01\x02\x03\x04")) == token.hex()
    assert trainings._xsrf_token(cookie(token, b"\x09\x08\x07\x06")) == token.hex()
    for broken in ("", "2|zz|zz|1", "a|b", "2||00|1"):
        assert trainings._xsrf_token(broken) == ""


def test_a_problem_is_told_once(runs_folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise HourglassError("The queue of trainings is busy: try again in a moment.")

    monkeypatch.setattr(jobs, "request", refuse)
    app = training(data="digits", method="vae")
    button(app, "Train").click().run()
    assert "try again in a moment" in said(app)
    assert "try again in a moment" not in said(app.run())


def test_what_has_ended_is_shown_without_a_click(runs_folder):
    started = time.time()
    under_way(spec_of())
    app = training(run=links.encode(spec_of()))
    assert app.get("progress")
    jobs.remove(jobs.folder_of(spec_of().key))
    again(app)
    assert not app.exception
    assert not app.get("progress")
    assert "Not trained yet" in said(app)
    assert time.time() - started < 60


# A map of the rows themselves

TSNE = specs.make("digits", "tsne")


def links_to(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


@pytest.fixture
def with_a_map(runs_folder):
    (runs_folder / TSNE.key).symlink_to(ROOT / "assets" / "runs" / TSNE.key)


def test_a_map_of_rows_is_chosen_and_asked_for_like_a_method(runs_folder):
    app = training(data="digits", method="tsne", size="10")
    assert not app.exception
    assert "t-SNE" in group(app, "Method").options
    assert "A map of the rows themselves" in said(app)
    assert "Maps the rows in up to 1,000 iterations" in said(app)
    assert "solved at once" not in said(app)
    app.session_state["pages/training.py:settings/digits/tsne/parameters"] = True
    app.run()
    # Its size is no choice.
    assert [w.label for w in app.text_input] == ["Perplexity", "Max iter", "Rows", "Seed"]
    field(app, "Perplexity").set_value("20").run()
    button(app, "Train").click().run()
    (job,) = jobs.jobs()
    assert job.spec == specs.make("digits", "tsne", {"perplexity": 20.0})


def test_a_map_under_way_shows_its_pace_and_can_only_be_cancelled(runs_folder):
    jobs.request(TSNE, "another")
    folder = jobs.folder_of(TSNE.key)
    row = {"epoch": 300, "step": 300, "seconds": 6.0, "rows_per_second": 4321.0, "share": 0.3}
    jobs.write_json(folder / "now.json", {"stage": "Fitting", "row": {**row, "loss": 1.5}})
    rows = [{**row, "epoch": 250, "step": 250}, {**row, "loss": 1.5}]
    (folder / "progress.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    trainings._listed.clear()
    app = training(data="digits", method="tsne", run=links.encode(TSNE))
    assert not app.exception
    assert app.get("progress")[0].proto.text == ("Iteration 300 of 1,000 · 4,321 images a second · about 14 s left")
    assert "Loss, nats of KL divergence, at epoch 300: loss 1.5" in shown_text(app)
    assert "The curve begins" not in said(app)
    assert "Cancel" in labels(app)
    assert not {"Pause", "Stop and keep"} & set(labels(app))


def test_a_map_that_begins_has_no_curve_yet(runs_folder):
    jobs.request(TSNE, "another")
    row = {"epoch": 0, "step": 0, "seconds": 0.0, "rows_per_second": 0.0, "share": 0.0}
    jobs.write_json(jobs.folder_of(TSNE.key) / "now.json", {"stage": "Fitting", "row": row})
    trainings._listed.clear()
    app = training(data="digits", method="tsne", run=links.encode(TSNE))
    assert not app.exception
    assert app.get("progress")[0].proto.text == "Iteration 0 of 1,000"
    assert "The curve begins after iteration 250" in said(app)


def test_a_map_that_is_stored_is_listed_and_looked_back_at(runs_folder, with_a_map):
    app = training(data="digits", method="tsne", runs=TSNE.key)
    assert not app.exception
    assert not app.warning
    assert app.subheader[0].value.replace("\\", "") == "t-SNE on Digits 8x8, 2-D"
    assert "kNN accuracy" in said(app)
    assert "t-SNE of the raw rows" in shown_text(app)
    assert "pictures of its training" not in said(app)
    assert "See it in Compare" not in links_to(app)
    assert "See it in Compare" in links_to(training(data="digits", method="pca"))
    assert "t-SNE, 2-D" in app.dataframe[0].value["Run"].tolist()


def test_in_a_workshop_a_map_has_few_rows(runs_folder, monkeypatch):
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    spec = specs.make("digits", "tsne", {"rows": 5000})
    app = training(data="digits", method="tsne", spec=links.encode(spec))
    button(app, "Train").click().run()
    assert "rows=5000 is not for a workshop" in said(app)
    assert jobs.jobs() == []
