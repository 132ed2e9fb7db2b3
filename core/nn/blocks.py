"""Outputs for the features of a table: numbers, and categories as blocks of probabilities."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nn import losses


class Blocks:
    """Where the features of a table lie among its columns.

    Attributes
    ----------
    numbers, categories : columns of numbers and of categories, int64.
    segment : (len(categories),) the block of each column of a category, 0 to `n_blocks` - 1.
    """

    def __init__(self, blocks: Sequence[int]):
        sizes = np.asarray(blocks)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        is_number = sizes[owner] == 1
        segment = np.unique(owner[~is_number], return_inverse=True)[1]
        self.n_columns, self.n_blocks = len(owner), int((sizes > 1).sum())
        self.numbers, self.categories = (torch.as_tensor(np.flatnonzero(at)) for at in (is_number, ~is_number))
        self.segment = torch.as_tensor(segment.astype(np.int64))

    def split_known(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        """Rows (..., n_columns or twice as many) -> rows and, from the second half, 1 where a cell is known."""
        return (x[..., : self.n_columns], x[..., self.n_columns :]) if x.shape[-1] > self.n_columns else (x, 1.0)

    def log_probabilities(self, out: Tensor) -> Tensor:
        """Log softmax within each block: (..., n_columns) -> (..., len(categories))."""
        logits, segment = out[..., self.categories], self.segment.expand(*out.shape[:-1], -1)
        shape = (*out.shape[:-1], self.n_blocks)
        highest = logits.new_full(shape, -torch.inf).scatter_reduce(-1, segment, logits.detach(), "amax")
        shifted = logits - highest.gather(-1, segment)
        total = logits.new_zeros(shape).scatter_add(-1, segment, shifted.exp())
        return shifted - total.log().gather(-1, segment)

    def to_means(self, out: Tensor) -> Tensor:
        """Numbers as they are, categories as probabilities: (..., n_columns)."""
        return self._with_categories(out, self.log_probabilities(out).exp()) if self.n_blocks else out

    def draw_relaxed(self, out: Tensor, generator: torch.Generator, temperature: float) -> Tensor:
        """Numbers as they are, categories as nearly one-hot draws (Gumbel-softmax, Jang et al. 2017, eq. 2)."""
        if not self.n_blocks:
            return out
        uniform = torch.rand((*out.shape[:-1], len(self.categories)), generator=generator).to(out.device)
        noise = -(-uniform.clamp(min=1e-9).log()).clamp(min=1e-9).log()
        noisy = self._with_categories(out, (out[..., self.categories] + noise) / temperature)
        return self._with_categories(out, self.log_probabilities(noisy).exp())

    def _with_categories(self, out: Tensor, values: Tensor) -> Tensor:
        return out.index_copy(out.dim() - 1, self.categories.to(out.device), values.to(out.dtype))

    def squared_and_cross_entropy(self, x: Tensor, out: Tensor) -> Tensor:
        """Squared error of numbers plus cross entropy of categories in nats, of known cells: (n,)."""
        x, known = self.split_known(x)
        errors = out.new_zeros(x.shape)
        errors[..., self.numbers] = (x - out)[..., self.numbers].square()
        errors[..., self.categories] = -x[..., self.categories] * self.log_probabilities(out)
        return (errors * known).sum(-1)

    def log_likelihood(self, x: Tensor, out: Tensor) -> Tensor:
        """log p(x|z) of known cells in nats, from means, logits and log variances: (..., 2 * n_columns) -> (...,)."""
        x, known = self.split_known(x)
        mean, log_variance = losses.split_normal(out)
        x = x.expand_as(mean)
        terms = mean.new_zeros(mean.shape)
        of_numbers = (a[..., self.numbers] for a in (x, mean, log_variance))
        terms[..., self.numbers] = losses.normal_log_densities(*of_numbers)
        terms[..., self.categories] = x[..., self.categories] * self.log_probabilities(mean)
        return (terms * known).sum(-1)


class FeatureVariance(nn.Module):
    """Appends one learned value a column, for `core.nn.losses.split_normal`: (n, d) -> (n, 2 d)."""

    def __init__(self, n_columns: int):
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(n_columns))

    def forward(self, out: Tensor) -> Tensor:
        return torch.cat([out, self.raw.to(out.dtype).expand_as(out)], -1)

    def deviation(self) -> Tensor:
        """(n_columns,) standard deviation of each column."""
        both = F.pad(self.raw, (len(self.raw), 0))
        return (0.5 * losses.split_normal(both)[1]).exp()
