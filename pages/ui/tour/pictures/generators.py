"""Pictures of slides 10 to 14: a generator, two ways to measure it, and an autoencoder as a generator."""

from core.runs import presets, specs
from pages.ui.mechanisms import random_codes
from pages.ui.shared.experiment import Controls


def draw_random_codes(controls: Controls) -> str:
    """The codes of an AE with 10 latent dimensions, and decoded random codes; the control chooses their source."""
    kind = controls.choose_segment("codes", "Sample codes from", random_codes.SAMPLERS)
    params = presets.list_presets("mnist", "ae", 10)[presets.BEST]
    key = specs.make_at_size("mnist", "ae", 10, params).key
    drawn = random_codes.sample_codes(key, kind, seed=0, height=400)
    random_codes.draw_codes(drawn)
    return drawn.failure
