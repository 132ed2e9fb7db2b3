"""How soon the steps of the tour are drawn, and answer: ``python -m tests.benchmarks.bench_tour [STEP ...]``.

Each step by link in a new browser profile, on a server that has shown it before; then its control, where that is one of
Streamlit's: from the key or click until all is drawn again. Controls inside our own components answer in the browser.
Medians; a step should be drawn within 1.5 s, and its control answered within 0.3 s.
"""

import statistics
import sys
import time

from playwright.sync_api import Page

from pages.ui.tour.steps import STEPS
from tests.benchmarks.serving import browsed
from tests.openings import DRAWN, opened

_VISITS = 4  # of which the first fills the caches
# A control of a step's picture -> the key that changes it, or None for a click.
_CONTROLS = {
    '[data-testid="stButtonGroup"] button:not([aria-checked="true"], [data-selected="true"])': None,
    '[data-testid="stSlider"] [role="slider"], [data-testid="stSlider"] input': "ArrowRight",
    '[data-testid="stButton"] button': None,
    '[data-testid="stToggle"] input, [data-testid="stCheckbox"] input': " ",
}

# A rerun may be over before it is asked for.
_OBSERVE = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    window.hasRun = false;
    new MutationObserver(() => { window.hasRun ||= app.dataset.testScriptState !== 'notRunning'; })
        .observe(app, { attributes: true }); }"""


def _time_control(page: Page, step: str) -> float | None:
    """Seconds until the first control of the step's picture has been answered; None where Streamlit has none there."""
    for selector, key in _CONTROLS.items():
        control = page.locator(f".st-key-tour-step-{step}").locator(selector)
        if control.count() == 0:
            continue
        page.evaluate(_OBSERVE)
        started = time.perf_counter()
        control.first.press(key) if key else control.first.click()
        page.wait_for_function("window.hasRun", polling=2)
        page.wait_for_function(DRAWN, arg="h1", polling=10)
        return time.perf_counter() - started
    return None


def main(arguments: list[str]) -> None:
    """Print a line a step."""
    print(f"{'step':24}{'drawn s':>9}{'control s':>11}{'files':>7}{'MB':>7}   drawn, control each")
    with browsed() as (browser, url):
        for number, step in enumerate(STEPS, 1):
            if arguments and step.name not in arguments:
                continue
            drawn, answered = [], []
            for _ in range(_VISITS):
                content = f".st-key-tour-step-{step.name}" if step.picture else ".hg-tour"
                with opened(browser, f"{url}/tour?step={number}", content) as (page, last):
                    drawn.append(last.seconds)
                    if step.picture and (seconds := _time_control(page, step.name)) is not None:
                        answered.append(seconds)
            control = f"{statistics.median(answered[1:]):11.2f}" if answered else f"{'-':>11}"
            megabytes = sum(last.files.values()) / 1e6
            each = ", ".join(f"{seconds:.2f}" for seconds in (*drawn, *answered))
            print(
                f"{step.name:24}{statistics.median(drawn[1:]):9.2f}{control}{len(last.files):7}{megabytes:7.2f}",
                f"  {each}",
            )


if __name__ == "__main__":
    main(sys.argv[1:])
