"""Olivetti's splits and moved copies: on made images everywhere, on the faces where they are."""

from __future__ import annotations

import numpy as np
import pytest

from core.datasets import olivetti
from core.errors import BadInput

PEOPLE = np.arange(400) // 10


def test_splits_hold_out_people_or_pictures():
    tested = []
    for fold in range(olivetti.FOLDS):
        train, test = olivetti.split_rows(PEOPLE, "people", fold)
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(400))
        assert set(PEOPLE[train]).isdisjoint(PEOPLE[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(400))
    train, test = olivetti.split_rows(PEOPLE, "pictures", 0)
    assert np.bincount(PEOPLE[train]).tolist() == [8] * 40
    assert np.bincount(PEOPLE[test]).tolist() == [2] * 40
    with pytest.raises(BadInput, match=r"fold=2 is one of people, .* give held_out=people, or fold=0"):
        olivetti.split_rows(PEOPLE, "pictures", 2)


def test_copies_are_reproducible_nested_and_like_their_image():
    images = np.kron(np.random.RandomState(1).randint(0, 256, (6, 8, 8)), np.ones((8, 8))).astype(np.uint8)
    copies = olivetti.make_copies(images, 4)
    assert (copies.shape, copies.dtype) == ((24, 64, 64), np.uint8)
    assert np.array_equal(copies[:12], olivetti.make_copies(images, 2))
    assert len({image.tobytes() for image in (*images, *copies)}) == 30
    light = np.full((3, 64, 64), 200, np.uint8)
    assert (olivetti.make_copies(light, 5) == 200).all(), "beyond an edge its pixels are repeated"
    # The first of two copies is mirrored.
    originals = np.concatenate([images[:, :, ::-1], images]).astype(float)
    distances = np.abs(originals[None] - copies[:12, None]).mean((2, 3))
    assert distances.argmin(1).tolist() == list(range(12))
