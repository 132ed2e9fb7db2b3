"""Olivetti's splits and moved copies: on made images everywhere, on the faces where they are."""

from __future__ import annotations

import numpy as np
import pytest

from core import datasets
from core.datasets import olivetti
from core.types import BadInput

PEOPLE = np.arange(400) // 10


def made(n=6):
    """Images of 8 by 8 squares of chance greys."""
    squares = np.random.RandomState(1).randint(0, 256, (n, 8, 8))
    return np.kron(squares, np.ones((8, 8))).astype(np.uint8)


def test_folds_of_people_share_no_one_and_have_everyone():
    tested = []
    for fold in range(olivetti.FOLDS):
        train, test = olivetti.split(PEOPLE, "people", fold)
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(400))
        assert set(PEOPLE[train]).isdisjoint(PEOPLE[test])
        assert len(set(PEOPLE[test])) == 8
        tested += sorted(set(PEOPLE[test]))
    assert sorted(tested) == list(range(40))


def test_everyone_is_in_both_splits_where_pictures_are_held_out():
    train, test = olivetti.split(PEOPLE, "pictures", 0)
    assert np.bincount(PEOPLE[train]).tolist() == [8] * 40
    assert np.bincount(PEOPLE[test]).tolist() == [2] * 40
    with pytest.raises(BadInput, match=r"fold=2 is one of people, .* give held_out=people, or fold=0"):
        olivetti.split(PEOPLE, "pictures", 2)


def test_copies_are_the_same_every_time_and_fewer_are_the_first_of_more():
    images = made()
    copies = olivetti.moved(images, 4)
    assert copies.shape == (24, 64, 64)
    assert copies.dtype == np.uint8
    assert np.array_equal(copies, olivetti.moved(images, 4))
    assert np.array_equal(copies[:12], olivetti.moved(images, 2))
    assert len({image.tobytes() for image in (*images, *copies)}) == 30
    assert olivetti.moved(images, 0).shape == (0, 64, 64)


def test_a_copy_is_like_its_own_image_and_the_first_of_two_is_mirrored():
    images = made()
    seen = {"as they are": images, "mirrored": images[:, :, ::-1]}
    for copies, like in zip(olivetti.moved(images, 2).reshape(2, 6, 64, 64), ("mirrored", "as they are"), strict=True):
        for i, copy in enumerate(copies):
            distances = {
                (name, j): np.abs(image.astype(float) - copy).mean()
                for name, images_ in seen.items()
                for j, image in enumerate(images_)
            }
            assert min(distances, key=distances.get) == (like, i)


def test_a_point_moves_as_far_as_is_said_and_no_further():
    point = np.zeros((1, 64, 64), np.uint8)
    point[0, 30:34, 50:54] = 255
    # From the centre of the image to that of the point.
    rows, columns = np.mgrid[:64, :64] - 31.5
    was = np.array([0.0, 20.0])
    for k, copy in enumerate(olivetti.moved(point, 40).astype(float)):
        now = np.array([(rows * copy).sum(), (columns * copy).sum()]) / copy.sum() * (1, -1 if k % 2 == 0 else 1)
        most = olivetti.SCALE * 20 + np.deg2rad(olivetti.TURN_DEGREES) * 20 * (1 + olivetti.SCALE)
        assert np.linalg.norm(now - was) <= most + np.hypot(*[olivetti.SHIFT_PIXELS] * 2) + 0.3


def test_an_edge_goes_on_where_a_copy_shows_what_lies_beyond_it():
    light = np.full((3, 64, 64), 200, np.uint8)
    assert (olivetti.moved(light, 5) == 200).all()


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({"held_out": "strangers"}, "held_out is one of pictures, people"),
        ({"held_out": "people", "fold": 5}, "fold is a whole number from 0 to 4"),
        ({"copies": -1}, "copies is a whole number from 0 to 50"),
        ({"copies": 2.5}, "copies is a whole number"),
        ({"fold": 1}, "give held_out=people, or fold=0"),
        ({"copy": 1}, "it has held_out, fold, copies"),
    ],
)
def test_bad_values_are_refused(reference, params, what):
    reference("olivetti")
    with pytest.raises(BadInput, match=what):
        datasets.load("olivetti", **params)


def test_faces_of_strangers_with_copies(reference, loaded):
    reference("olivetti")
    plain = datasets.load("olivetti", held_out="people", fold=3)
    faces = datasets.load("olivetti", held_out="people", fold=3, copies=2)
    assert faces.X_train.shape == (960, 4096)
    assert faces.X_train.dtype == np.uint8
    assert faces.X_train.flags.c_contiguous
    assert faces.notes == ()
    assert np.array_equal(faces.X_train[:320], plain.X_train)
    assert np.array_equal(faces.y_train, np.tile(plain.y_train, 3))
    assert np.array_equal(faces.X_test, plain.X_test)
    assert set(faces.y_train).isdisjoint(faces.y_test)
    assert sorted(set(faces.y_test)) == list(range(3, 40, 5))
    every = {row.tobytes() for row in loaded("olivetti").X_train} | {row.tobytes() for row in loaded("olivetti").X_test}
    assert {row.tobytes() for row in faces.X_test} <= every
    assert not {row.tobytes() for row in faces.X_train} & {row.tobytes() for row in faces.X_test}


def test_copies_leave_held_out_pictures_alone(reference, loaded):
    reference("olivetti")
    faces = datasets.load("olivetti", copies=1)
    assert np.array_equal(faces.X_test, loaded("olivetti").X_test)
    assert np.array_equal(faces.X_train[:320], loaded("olivetti").X_train)
    assert len(faces.X_train) == 640
