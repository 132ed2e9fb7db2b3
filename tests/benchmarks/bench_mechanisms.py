"""How soon an experiment is there and answers: ``python -m tests.benchmarks.bench_mechanisms [EXPERIMENT ...]``.

In headless Chromium on a server that has shown each experiment before:

- chosen: picked in the open page, from the click until all is drawn;
- link: its link opened in a new tab of a browser that was here before;
- fresh: the same in a browser with an empty cache;
- control: each control moved there and back, from the key or click until all is drawn again, or a bar or a spinner
  shows progress.

Medians of five; of the controls the slowest is named.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.benchmarks.serving import browsed
from tests.openings import DRAWN, seconds

TIMES = 5
# What its link says of an experiment, and what the page calls it.
EXPERIMENTS = {
    "generator": "Output distributions",
    "codes": "AE as generator",
    "naive": "Naive sampling",
    "naive&naive.show=estimate": "Naive sampling",
    "naive&naive.show=trap": "Naive sampling",
    "elbo": "ELBO",
    "elbo&elbo.show=collapse": "ELBO",
    "gradients": "Reparameterization",
    "similarity": "Divergences",
    "players": "GAN game",
    "players&players.show=judge": "GAN game",
    "players&players.show=alone": "GAN game",
    "versus": "VAE v. GAN",
    "linear": "Linear AE and PCA",
}
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


def main(names: list[str] | None = None) -> None:
    columns = " ".join(f"{name:>8}" for name in ("chosen", "link", "fresh", "control"))
    print(f"{'seconds, median of ' + str(TIMES):26} {columns}  slowest control")
    with browsed() as (browser, url):
        for name in EXPERIMENTS:
            if names and name not in names:
                continue
            link = f"{url}/mechanisms?experiment={name}"
            fresh, linked = [], []
            for _ in range(TIMES + 1):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                fresh.append(seconds(context.new_page(), link))
                page = context.new_page()
                linked.append(seconds(page, link))
                if len(fresh) <= TIMES:
                    context.close()
            chosen, (control, slowest) = _chosen(page, name), _slowest(page)
            page.context.close()
            # The first visit loads and computes what later ones find.
            row = (chosen, statistics.median(linked[1:]), statistics.median(fresh[1:]), control)
            print(f"{name:26} " + " ".join(f"{value:8.2f}" for value in row) + f"  {slowest}", flush=True)


def _chosen(page: Page, name: str) -> float:
    other = "elbo" if name == "generator" else "generator"
    values = []
    for _ in range(TIMES):
        _answered(page, lambda: _choice(page, EXPERIMENTS[other]).click(), DRAWN)
        values.append(_answered(page, lambda: _choice(page, EXPERIMENTS[name]).click(), DRAWN))
    return statistics.median(values)


def _choice(page: Page, label: str) -> Locator:
    return page.locator("[class*=st-key-][class*=experiment]").get_by_text(label, exact=True)


def _answered(page: Page, act: Callable[[], None], until: str = SETTLED) -> float:
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    started = time.perf_counter()
    act()
    page.wait_for_function(f"() => window.began() && ({until})()", timeout=30_000, polling=10)
    took = time.perf_counter() - started
    # What takes longer shows a bar, and is left behind by the next move.
    page.wait_for_function(DRAWN, timeout=300_000, polling=10)
    return took


def _slowest(page: Page) -> tuple[float, str]:
    """The slowest control's median, over moves there and back, and its name."""
    found = []
    sliders = page.locator("[data-testid=stMain] input[type=range]")
    for k in range(sliders.count()):
        slider = sliders.nth(k)
        at_end = slider.input_value() == slider.get_attribute("max")
        keys = ("ArrowLeft", "ArrowRight") if at_end else ("ArrowRight", "ArrowLeft")
        found.append((_moved(page, slider.press, keys), slider.get_attribute("aria-label") or ""))
    for choice in page.locator("[data-testid=stMain] [role=radiogroup]").all()[1:]:  # the first chooses the experiment
        label, options = choice.get_attribute("aria-label"), choice.get_by_role("radio")
        now = next(k for k in range(options.count()) if options.nth(k).is_checked())
        keys = (str((now + 1) % options.count()), str(now))
        group = page.get_by_role("radiogroup", name=label, exact=True)
        found.append((_moved(page, lambda k, group=group: group.get_by_role("radio").nth(int(k)).click(), keys), label))
    drawing = page.get_by_role("button", name=re.compile("^(Resample|New initialisation)$"))
    if drawing.count():
        label = drawing.first.inner_text().splitlines()[-1]  # the line before names the icon
        found.append((_moved(page, lambda _: drawing.first.click(), ("", "")), label))
    return max(found, default=(float("nan"), "none"))


def _moved(page: Page, act: Callable[[str], None], keys: tuple[str, str]) -> float:
    return statistics.median([_answered(page, lambda key=key: act(key)) for _ in range(TIMES // 2) for key in keys])


if __name__ == "__main__":
    main(sys.argv[1:])
