"""How smooth dragging in latent space is: ``python -m tests.benchmarks.bench_latent``.

The shipped MNIST 2-D VAE in headless Chromium, on a server that has shown it before: three seconds of dragging on the
pad, frames a second in which the picture changed (decoded and painted), and the longest wait between two of them; from
opening to drawn (the picture, and the grid behind it), of the plane and of the sliders. The median of three visits.
"""

import time

from playwright.sync_api import Browser

from tests.benchmarks.serving import browsed, show_median

PLANE, SLIDERS = "generation?section=manifold&data=mnist", "generation?section=sliders&data=mnist&size=10"
DRAWN = "() => [...(globalThis.hourglassLatent?.views ?? [])].some((view) => view.root.dataset.drawn)"
# A pointer moves once a frame: what counts is a picture that is another than the one before, after the frame.
DRAG = """async () => {
const view = [...hourglassLatent.views][0], surface = view.plane.surface, box = surface.getBoundingClientRect();
const send = (kind, t) => surface.dispatchEvent(new PointerEvent(kind, {
  pointerId: 1, pointerType: 'mouse', isPrimary: true, bubbles: true, button: 0, buttons: 1,
  clientX: box.left + box.width * (0.5 + 0.4 * Math.cos(2.5 * t)),
  clientY: box.top + box.height * (0.5 + 0.4 * Math.sin(3.1 * t)) }));
surface.setPointerCapture = () => {};
const frame = () => new Promise((done) => requestAnimationFrame(done));
const sum = () => view.decoded.reduce((total, value, k) => total + value * (k + 1), 0);
const begun = performance.now(), times = [];
let before = sum();
send('pointerdown', 0);
while (performance.now() - begun < 3000) {
  send('pointermove', (performance.now() - begun) / 1000);
  await frame();
  const now = sum();
  if (now !== before) times.push(performance.now());
  before = now;
}
send('pointerup', 3);
const waits = times.slice(1).map((time, k) => time - times[k]);
return [times.length / 3, Math.max(...waits)]; }"""


def main(arguments: list[str]) -> None:
    with browsed() as (browser, url):
        rows = [_measure(browser, url) for _ in range(4)]
    for name in rows[0]:  # the first visit loads what later ones find
        show_median(name, [row[name] for row in rows[1:]])


def _measure(browser: Browser, url: str) -> dict[str, float]:
    found = {}
    for name, query in (("plane", PLANE), ("sliders", SLIDERS)):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        started = time.perf_counter()
        page.goto(f"{url}/{query}")
        page.wait_for_function(DRAWN, timeout=120_000, polling=10)
        found[f"{name} opened to drawn, s"] = time.perf_counter() - started
        if name == "plane":
            page.wait_for_timeout(2000)
            found["dragging, new pictures a second"], found["longest wait for one, ms"] = page.evaluate(DRAG)
        page.context.close()
    return found


if __name__ == "__main__":
    main([])
