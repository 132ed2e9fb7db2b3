"""The tour: every link opens with its choices, without training or download; steps, keys, large type."""

import re

import numpy as np
import pytest
import streamlit as st

from core import datasets
from core.mechanisms import finished_games
from core.runs import layout, reader
from core.tasks import vae_vs_gan_training
from pages.ui.shared import header, stored_runs
from pages.ui.shared.formulas import mark_symbols
from pages.ui.tour import steps
from tests.pages.driver import opened_on

LINKS = [link for step in steps.STEPS for link in step.links]


@pytest.mark.parametrize("page", sorted({link.page for link in LINKS}))
def test_links_open_with_their_choices_on_a_fresh_machine(page, monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(datasets, "fetch", lambda *_, **__: pytest.fail("The tour downloads something."))
    for link in LINKS:
        if link.page == page:
            app = opened_on(page, **link.choices)
            assert [message.value for message in (*app.error, *app.warning)] == [], link.label
            assert not any(button.label.startswith("Download") for button in app.button), link.label
            # A form is of the run beside it.
            assert not any(caption.value.startswith("Settings that differ") for caption in app.caption), link.label
            assert {name: app.query_params[name] for name in link.choices} == link.choices, link.label


def test_steps_follow_the_lecture():
    numbers = [int(re.search(r"\d+", step.source)[0]) for step in steps.STEPS if step.source[:5] == "Slide"]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 20


def test_symbols_are_marked_where_they_stand_in_a_formula():
    mathml = mark_symbols(r"\log D(G(z))", ("G(z)", "D(G(z))"))
    assert re.search(r'data-index="1"><mi>D</mi>.*data-index="0"><mi>G</mi>', mathml)
    for step in steps.STEPS:
        marked = " ".join(mark_symbols(formula, tuple(step.symbols)) for formula in step.formulas)
        assert [s for k, s in enumerate(step.symbols) if f'data-index="{k}"' not in marked] == [], step.name


def test_buttons_and_links_open_steps():
    app = opened_on(header.TOUR).expect(steps.STEPS[0].title)
    assert app.button(key="tour-Back").disabled
    app.button(key="tour-Next").click().run().expect(steps.STEPS[1].title)
    assert app.query()["step"] == "2"
    last = opened_on(header.TOUR, step=str(len(steps.STEPS))).expect(steps.STEPS[-1].title)
    assert last.button(key="tour-Next").disabled
    for step in ("99", "x"):
        opened_on(header.TOUR, step=step).expect("asks for the step", steps.STEPS[0].title)


@pytest.mark.parametrize("step", steps.STEPS, ids=lambda step: step.name)
def test_each_step_draws_on_a_fresh_machine(step, monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(datasets, "fetch", lambda *_, **__: pytest.fail("The tour downloads something."))
    app = opened_on(header.TOUR, step=str(steps.STEPS.index(step) + 1)).expect(step.title)
    assert [message.value for message in (*app.error, *app.warning)] == []


@pytest.mark.parametrize("name", ["linear", "versus", "gan"])
def test_step_without_its_files_says_so_in_one_sentence(name, monkeypatch, tmp_path):
    for module in (layout, finished_games, vae_vs_gan_training):
        monkeypatch.setattr(module, "SHIPPED", tmp_path)
    st.cache_resource.clear()
    finished_games.read_finished.cache_clear()
    number = next(k for k, step in enumerate(steps.STEPS, 1) if step.name == name)
    app = opened_on(header.TOUR, step=str(number)).expect(steps.STEPS[number - 1].text[:20])
    st.cache_resource.clear()
    assert ["can't be shown" in message.value for message in app.error] == [True]


def test_other_pages_have_large_type_and_a_way_back():
    app = opened_on(header.TOUR, step="4")
    app.toggle[0].set_value(True).run()
    app.switch_page("pages/mechanisms.py").run().expect("font-size: 150%")
    assert app.query()["large"] == "yes"
    assert "Back to the tour, step 4" in app.links()
    assert {f"Step {k}: {steps.STEPS[k - 1].title}" for k in (3, 4, 5)} <= set(app.links())
    app.switch_page(header.TOUR).run().toggle[0].set_value(False).run().lack("font-size: 150%")
    assert "large" not in app.query()


def test_demos_have_a_face_with_thirty_sliders_that_each_change_it():
    number = 1 + next(k for k, step in enumerate(steps.STEPS) if step.name == "demos")
    app = opened_on(header.TOUR, step=str(number), **{"demos.demo": "sliders"})
    run = stored_runs.find_shipped("olivetti", "ae", 30)
    codes, decode = run.views["codes"].astype(np.float64), reader.read_estimator(run.place).inverse_transform
    effects = []
    for step in np.diag(codes.std(axis=0, ddof=1)):
        ends = [decode((codes[:20] + sign * step).astype(np.float32)) for sign in (1, -1)]
        effects.append(np.square(ends[0] - ends[1]).sum(axis=1).mean())
    n_active = int((np.array(effects) > 0.01 * max(effects)).sum())
    assert n_active >= 20
    app.expect(f"{n_active} of 30 dimensions change the face")
