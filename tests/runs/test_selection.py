"""Which runs a page shows of a data set, a method and a code size."""

from dataclasses import replace

from core.runs import layout, selection, specs, store
from tests.runs.conftest import spec_of, with_spec


def select(method="ae", size=2):
    return [run.key for run in selection.select_runs(store.list_runs()[0], "digits", method, size)]


def test_shipped_runs_come_before_own_ones_and_a_gan_at_every_size(fitted, place):
    run, arrays = fitted
    store.write_run(with_spec(run, 2999, epochs=5), arrays)
    gan = replace(run, spec=specs.make("digits", "gan", {"n_components": 16}))
    store.write_run(gan, arrays)
    assert select() == [spec_of(epochs=5).key, run.key]
    layout.SHIPPED.mkdir()
    place.rename(layout.SHIPPED / place.name)
    assert select() == [run.key, spec_of(epochs=5).key]
    assert select(size=10) == []
    assert select("gan", 10) == [gan.key]


def test_runs_that_were_stopped_early_come_after_whole_ones(fitted, place):
    run, arrays = fitted
    for epochs, when in ((3, 2999), (4, 2000), (5, 2998)):
        made = with_spec(run, when, epochs=epochs)
        stopped = {**made.environment, "stopped_early": epochs != 4}
        store.write_run(replace(made, environment=stopped), arrays)
    keys = {epochs: spec_of(epochs=epochs).key for epochs in (2, 3, 4, 5)}
    assert select() == [keys[epochs] for epochs in (2, 4, 3, 5)]
    layout.SHIPPED.mkdir()
    store.find_place(keys[3]).rename(layout.SHIPPED / keys[3])
    assert select() == [keys[epochs] for epochs in (3, 2, 4, 5)]


def test_oldest_shipped_run_and_newest_own_run_lead(fitted, place):
    run, arrays = fitted
    store.delete_run(run.key)
    for year in (2001, 2003, 2002):
        store.write_run(with_spec(run, year, epochs=year - 1990, width=64), arrays, layout.SHIPPED)
        store.write_run(with_spec(run, year, epochs=year - 1990), arrays)
    shipped = [spec_of(epochs=epochs, width=64).key for epochs in (11, 12, 13)]
    assert select() == shipped + [spec_of(epochs=epochs).key for epochs in (13, 12, 11)]
