"""Random changes of training rows: moved images, noise, dropped words. Torch is imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor


def move_images(x: Tensor, image_shape: tuple[int, int], share: float, generator: Generator) -> Tensor:
    """Rotate (up to 8.6 degrees), scale (10%) and shift (4%) a share of a batch of images at random.

    x is (batch, height * width) pixels in random order, so that the first rows are a random choice.
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
    rows = [scale[:, 0] * cosine, -sine, shift[:, 0]], [sine, scale[:, 1] * cosine, shift[:, 1]]
    matrices = torch.stack([torch.stack(row, 1) for row in rows], 1)
    grid = F.affine_grid(matrices, [n, 1, *image_shape], align_corners=False)
    moved = F.grid_sample(x[:n].view(n, 1, *image_shape), grid, align_corners=False)
    return torch.cat([moved.flatten(1), x[n:]])


def add_noise(x: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Add Gaussian noise of this standard deviation; nothing is drawn if it is 0."""
    import torch

    return x + deviation * torch.randn(x.shape, generator=generator).to(x.device) if deviation else x


def draw_pixels(x: Tensor, generator: Generator) -> Tensor:
    """Draw black and white pixels, 0 and 1, from probabilities of white."""
    import torch

    return (torch.rand(x.shape, generator=generator).to(x.device) < x).to(x.dtype)


def drop_words(counts: Tensor, share: float, generator: Generator) -> Tensor:
    """Set each positive count to 0 with probability `share`; nothing is drawn if it is 0."""
    import torch

    if not share:
        return counts
    present = counts.nonzero(as_tuple=True)  # few, so that this is faster than a draw for each word
    kept = torch.rand(len(present[0]), generator=generator) >= share
    return counts.index_put(present, counts[present] * kept.to(counts.device))
