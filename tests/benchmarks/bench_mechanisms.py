"""How soon an experiment is there and answers: ``python -m tests.benchmarks.bench_mechanisms [EXPERIMENT ...]``.

In headless Chromium on a server that has shown each experiment before. Link: its link opened in a new tab of a browser
that was here before. Fresh: the same with an empty cache. Control: each control moved there and back, from the key or
click until all is drawn again, or a bar or a spinner shows progress. Chosen: the same with the choice of the
experiment. Medians of five; of the controls the slowest is named.
"""

import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from playwright.sync_api import Page

from tests.benchmarks.serving import browsed
from tests.openings import DRAWN, seconds

TIMES = 5
# What its link says of an experiment
EXPERIMENTS = (
    "generator codes naive naive&naive.show=estimate naive&naive.show=trap elbo elbo&elbo.show=collapse gradients "
    "similarity players players&players.show=judge players&players.show=alone versus linear"
)
# Asked of the page before the key or click. An answer may come so soon that the page never says it waits for one:
# then the address tells.
WATCH = """() => {
const app = document.querySelector('[data-testid=stApp]'), before = location.href;
window.began = () => window.waited || location.href !== before;
window.waited = false;
new MutationObserver((_, watcher) => {
  if (app.dataset.testScriptState !== 'notRunning') { window.waited = true; watcher.disconnect(); }
}).observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] }); }"""
SETTLED = f"() => document.querySelector('[data-testid=stProgress], [data-testid=stSpinner]') || ({DRAWN})()"


def main(names: list[str]) -> None:
    print(f"{'seconds, median of 5':26} {'link':>8} {'fresh':>8} {'chosen':>8} {'control':>8}  slowest control")
    with browsed() as (browser, url):
        for name in names or EXPERIMENTS.split():
            link = f"{url}/mechanisms?experiment={name}"
            fresh, linked = [], []
            for _ in range(TIMES + 1):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                fresh.append(seconds(context.new_page(), link))
                page = context.new_page()
                linked.append(seconds(page, link))
                if len(fresh) <= TIMES:
                    context.close()
            chosen, (control, slowest) = _time_controls(page)
            page.context.close()
            # The first visit loads and computes what later ones find.
            row = statistics.median(linked[1:]), statistics.median(fresh[1:]), chosen, control
            print(f"{name:26} " + " ".join(f"{value:8.2f}" for value in row) + f"  {slowest}", flush=True)


def _answered(page: Page, act: Callable[[], None]) -> float:
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    started = time.perf_counter()
    act()
    page.wait_for_function(f"() => window.began() && ({SETTLED})()", timeout=30_000, polling=10)
    took = time.perf_counter() - started
    # What takes longer shows a bar, and is left behind by the next move.
    page.wait_for_function(DRAWN, timeout=300_000, polling=10)
    return took


def _time_controls(page: Page) -> tuple[float, tuple[float, str]]:
    """Medians over moves there and back: of the choice of the experiment, and of the slowest control with its name."""
    found = []
    sliders = page.locator("[data-testid=stMain] input[type=range]")
    for k in range(sliders.count()):
        slider = sliders.nth(k)
        at_end = slider.input_value() == slider.get_attribute("max")
        keys = ("ArrowLeft", "ArrowRight") if at_end else ("ArrowRight", "ArrowLeft")
        found.append((_moved(page, [partial(slider.press, key) for key in keys]), slider.get_attribute("aria-label")))
    drawing = page.get_by_role("button", name=re.compile("^(Resample|New initialisation)$"))
    if drawing.count():
        found.append((_moved(page, [drawing.first.click] * 2), drawing.first.inner_text().splitlines()[-1]))
    # The first chooses the experiment, and another one has other controls.
    for choice in reversed(page.locator("[data-testid=stMain] [role=radiogroup]").all()):
        label, options = choice.get_attribute("aria-label"), choice.get_by_role("radio")
        now = next(k for k in range(options.count()) if options.nth(k).is_checked())
        other = (now + 1) % options.count()
        group = page.get_by_role("radiogroup", name=label, exact=True).get_by_role("radio")
        found.append((_moved(page, [group.nth(k).click for k in (other, now)]), label))
    return found.pop()[0], max(found, default=(float("nan"), "none"))


def _moved(page: Page, acts: list[Callable[[], None]]) -> float:
    return statistics.median([_answered(page, act) for _ in range(TIMES // 2) for act in acts])


if __name__ == "__main__":
    main(sys.argv[1:])
