"""Random changes of training rows: small moves of images, noise, absent words. Torch is imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor


def move_images(x: Tensor, image_shape: tuple[int, int], share: float, generator: Generator) -> Tensor:
    """Rotate (up to 8.6 degrees), scale (10%) and shift (4%) the first `share` of a batch at random.

    Parameters
    ----------
    x : (batch, height * width) pixels; rows come in random order, so the first ones are a random choice.
    """
    import torch
    from torch.nn import functional as F

    n = int(share * len(x))
    if n == 0:
        return x

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(x.device) * 2 - 1

    angle, scale, shift = 0.15 * uniform(n), 1 + 0.1 * uniform(n, 2), 0.08 * uniform(n, 2)
    cosine, sine = angle.cos(), angle.sin()
    rows = (
        torch.stack([scale[:, 0] * cosine, -sine, shift[:, 0]], 1),
        torch.stack([sine, scale[:, 1] * cosine, shift[:, 1]], 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), [n, 1, *image_shape], align_corners=False)
    moved = F.grid_sample(x[:n].view(n, 1, *image_shape), grid, align_corners=False)
    return torch.cat([moved.flatten(1), x[n:]])


def add_noise(x: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Add normal noise of this standard deviation; nothing is drawn where it is 0."""
    import torch

    return x + deviation * torch.randn(x.shape, generator=generator).to(x.device) if deviation else x


def drop_words(counts: Tensor, share: float, generator: Generator) -> Tensor:
    """Set each count above 0 to 0 with probability `share`; nothing is drawn where it is 0."""
    import torch

    if not share:
        return counts
    present = counts.nonzero(as_tuple=True)  # few of the vocabulary: a draw for each word of it would take longer
    kept = torch.rand(len(present[0]), generator=generator) >= share
    return counts.index_put(present, counts[present] * kept.to(counts.device))
