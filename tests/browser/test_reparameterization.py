"""Reparameterization in a real browser: its numbers and images are the estimator's, for a digit that is drawn there."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from torch.nn.functional import binary_cross_entropy_with_logits

from core.datasets import user_image
from core.runs import layout, presets, reader, specs
from pages.ui.tour import steps
from tests.browser.conftest import DRAWN

# Of a copy: reading a canvas twice is a warning in the console.
PIXELS = """canvas => {
    const context = new OffscreenCanvas(28, 28).getContext("2d");
    context.drawImage(canvas, 0, 0);
    return Array.from(context.getImageData(0, 0, 28, 28).data).filter((_, k) => k % 4 === 0); }"""
STEP = 1 + next(k for k, step in enumerate(steps.STEPS) if step.name == "reparameterization")
# A three: shares of the pad's side.
THREE = ((0.3, 0.2), (0.7, 0.25), (0.5, 0.5), (0.72, 0.7), (0.28, 0.83))


@pytest.fixture
def server(shipped):
    return shipped


def read_numbers(page) -> dict[str, list[float]]:
    """The numbers on the page by what they are of: pairs such as mu, the loss L, and both components of z."""
    text = page.locator(".numbers").all_inner_texts()
    words = "\n".join(text).replace("−", "-")
    pairs = dict(re.findall(r"^(.+?) = .*?\((-?[\d.]+, -?[\d.]+)\)$", words, re.MULTILINE))
    numbers = {name: [float(value) for value in values.split(", ")] for name, values in pairs.items()}
    numbers["L"] = float(re.search(r"L = ([\d.]+) nats", words)[1])
    return numbers | {"z": [float(value) for value in re.findall(r"z. = .*= (-?[\d.]+)", words)]}


def differentiate(vae, x: np.ndarray, z: list[float]) -> tuple[float, np.ndarray]:
    """Cross entropy of an image and the decoded one, and its gradient by the code, by torch."""
    code = torch.tensor([z], dtype=torch.float32, requires_grad=True)
    target = torch.tensor(x[None], dtype=torch.float32)
    loss = binary_cross_entropy_with_logits(vae.networks_["decoder"](code), target, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, code)
    return float(loss.detach()), gradient[0].numpy()


def test_a_drawn_digit_is_encoded_sampled_and_decoded_as_by_the_estimator(visit):
    page = visit(f"tour?step={STEP}", drawn="Look for:")
    expect(page.locator(".reparameterization[data-drawn]")).to_have_count(1, timeout=DRAWN)
    spec = specs.make(*next(recipe for recipe in presets.MATCHED if recipe[:2] == ("mnist", "vae")))
    place, images = layout.place_of(layout.SHIPPED, spec), page.locator(".image")
    vae, views = reader.read_estimator(place), reader.read_run(place).views

    def check() -> np.ndarray:
        x, decoded = (np.array(images.nth(k).evaluate(PIXELS)) for k in (0, 1))
        numbers = read_numbers(page)
        mean, deviation = vae.posterior((x / 255).astype(np.float32)[None])
        assert numbers["μ"] == pytest.approx(mean[0], abs=2e-3)
        assert numbers["log σ²"] == pytest.approx(2 * np.log(deviation[0]), abs=0.02)
        # Of numbers that are rounded to three and two places.
        z = numbers["μ"] + deviation[0] * numbers["ε"]
        assert numbers["z"] == pytest.approx(z, abs=2e-3)
        expected = 255 * vae.inverse_transform(np.array([numbers["z"]], np.float32))[0]
        assert np.abs(decoded - expected).max() < 3
        code = list(map(float, page.locator(".reparameterization").get_attribute("data-code").split()))
        assert code == pytest.approx(numbers["z"], abs=6e-4)
        loss, gradient = differentiate(vae, x / 255, code)
        assert numbers["L"] == pytest.approx(loss, abs=0.1)
        for name, value in (("∂L/∂z", gradient), ("∂L/∂μ", gradient), ("∂L/∂σ", gradient * np.array(numbers["ε"]))):
            # ε is rounded to two places.
            assert numbers[name] == pytest.approx(value, rel=0.01, abs=0.3 + 0.006 * float(np.abs(gradient).max()))
        return x

    number = int(re.search(r"#([\d,]+)", page.locator(".seen").inner_text())[1].replace(",", ""))
    assert check().tolist() == views["originals"][views["strip_rows"] == number][0].tolist()
    page.get_by_role("button", name="Next digit").click()
    expect(page.locator(".seen")).not_to_contain_text(f"#{number:,},")
    check()

    box = page.locator(".paper").bounding_box()
    for k, (x, y) in enumerate(THREE):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=12)
        if k == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.locator(".seen")).to_contain_text("Your drawing")
    before, x = read_numbers(page), check()
    strokes = [np.round(255 * np.array(THREE)).astype(np.uint8)]
    framed = user_image.to_row(user_image.rasterise_strokes(strokes), "mnist", (28, 28))
    # Mouse positions are whole pixels, which moves an edge by a part of a grey pixel.
    assert np.abs(x - framed.astype(float)).mean() < 4
    assert np.corrcoef(x, framed)[0, 1] > 0.99
    page.get_by_role("button", name="Throw ε").click()
    expect(page.get_by_role("status").filter(has_text="log σ²")).to_have_count(1)
    page.wait_for_timeout(100)
    after = read_numbers(page)
    assert (after["μ"], after["log σ²"]) == (before["μ"], before["log σ²"])
    assert after["ε"] != before["ε"]
    check()
