"""Pictures of slides 22 to 24: reparameterization, the plane of codes, and sliders."""

from pages.ui.shared import reparameterization
from pages.ui.shared.experiment import Controls


def draw_reparameterization(controls: Controls) -> str:
    return reparameterization.draw()
