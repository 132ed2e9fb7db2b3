"""Pages with a run whose metrics are not all computed yet."""

from core import datasets
from core.experiments import fit
from core.runs import specs, store
from core.tasks import queue, worker_process
from tests.pages.driver import opened


def test_pending_metrics_are_computed_on_request(own_copy, monkeypatch):
    monkeypatch.setattr(worker_process, "ensure_worker", lambda: None)
    spec = specs.make("digits", "ae", {"n_components": 3, "epochs": 1, "width": 32})
    run = fit.fit_and_store(spec, datasets.load("digits"), first_only=True)
    app = opened(data="digits", size="3").expect(f"{run.metrics['squared_error'].value:.2f}").press("Evaluate now")
    assert [task.key for task in queue.list_pending_scores()] == [run.key]
    app.press("Stop evaluation")
    assert queue.list_pending_scores() == []
    opened(data="digits", size="3").switch_page("pages/generation.py").run().expect("pending")
    fit.finish(store.find_place(run.key), datasets.load("digits"))
    assert "Evaluate now" not in app.run().labels()
