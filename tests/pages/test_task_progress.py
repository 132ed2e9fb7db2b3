"""Pages with a run whose metrics are not all computed yet."""

import shutil

from core import datasets
from core.experiments import fit
from core.runs import specs, store
from core.tasks import queue, worker_process
from tests.pages.conftest import opened, shown_text


def button(app, label):
    return next((each for each in app.button if each.label == label), None)


def test_pending_metrics_are_computed_on_request(runs, tmp_path, monkeypatch):
    shutil.copytree(runs, tmp_path / "runs")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(worker_process, "ensure_worker", lambda: None)
    spec = specs.make("digits", "ae", {"n_components": 3, "epochs": 1, "width": 32})
    run = fit.fit_and_store(spec, datasets.load("digits"), first_only=True)
    app = opened(data="digits", size="3")
    assert not app.exception
    assert f"{run.metrics['squared_error'].value:.2f}" in shown_text(app)
    button(app, "Evaluate now").click().run()
    assert [task.key for task in queue.list_pending_scores()] == [run.key]
    button(app, "Stop evaluation").click().run()
    assert queue.list_pending_scores() == []
    generation = opened(data="digits", size="3").switch_page("pages/generation.py").run()
    assert not generation.exception
    assert "pending" in shown_text(generation)
    fit.finish(store.find_place(run.key), datasets.load("digits"))
    app.run()
    assert button(app, "Evaluate now") is None
