"""The ring's judge counts what is there; a game depends on its arguments alone."""

import inspect
import math

import numpy as np
import pytest
import torch

from jensengap import ring
from jensengap.data import toy

PLAY = {"generator_rate": 1e-3, "discriminator_rate": 1e-3, "gamma": 0.0}
SHORT = {"num_rounds": 2, "num_steps": 3}


def test_the_centers_are_those_of_the_data():
    points = toy.ring_of_gaussians(500, scale=1e-9, seed=0)
    distance = torch.cdist(points, ring.centers())
    assert distance.min(1).values.max() < 1e-5
    assert distance.min(0).values.max() < 1e-5  # and every centre is used


def test_data_cover_all_modes():
    points = toy.ring_of_gaussians(2000, scale=ring.LONG.scale, seed=0)
    verdict = ring.judge(points[None])
    assert verdict["modes"] == [8]
    # within three standard deviations in the plane
    p = 1 - math.exp(-9 / 2)
    assert abs(verdict["near"][0] - p) < 4 * math.sqrt(p * (1 - p) / 2000)


def test_a_tenth_of_the_fair_share_covers_a_mode_and_less_does_not():
    centers = ring.centers()
    at = torch.tensor([1900, 25, 24, 1, 0, 0, 0, 50])
    cloud = centers.repeat_interleave(at, 0)
    assert ring.judge(cloud[None]) == {"modes": [3], "near": [1.0]}


def test_what_lies_between_the_modes_is_wasted():
    cloud = torch.cat([torch.zeros(1500, 2), ring.centers()[:1].expand(500, 2)])
    assert ring.judge(cloud[None]) == {"modes": [1], "near": [0.25]}


def test_the_same_words_give_the_same_game_and_another_seed_another_one():
    first, again = (ring.play(**PLAY, **SHORT, seed=0) for _ in range(2))
    assert first.shape == (2, ring.LONG.points, 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, ring.play(**PLAY, **SHORT, seed=1))


def test_the_penalty_and_both_rates_change_the_game():
    plain = ring.play(**PLAY, **SHORT, seed=0)
    for change in (
        {"gamma": 1.0},
        {"generator_rate": 2e-3},
        {"discriminator_rate": 2e-3},
    ):
        assert not torch.equal(plain, ring.play(**PLAY | change, **SHORT, seed=0))


def test_a_still_discriminator_sends_the_generator_away_from_the_ring():
    # rate zero: it never learns where the data are
    still = PLAY | {"discriminator_rate": 0.0}
    clouds = ring.play(**still, num_rounds=2, num_steps=150, seed=0)
    assert ring.judge(clouds)["modes"][-1] <= 1


def test_what_is_recorded_is_the_judgement_of_the_game(monkeypatch):
    asked = {}

    def play(**words):
        asked.update(words)
        return ring.centers()[None, :5].repeat(3, 400, 1)

    monkeypatch.setattr(ring, "play", play)
    assert ring.run(**PLAY, seed=7) == {"modes": [5] * 3, "near": [1.0] * 3}
    assert asked == PLAY | {"seed": 7}


def test_fifteen_rounds_of_a_hundred_steps_are_played_unless_told():
    given = inspect.signature(ring.play).parameters
    assert (given["num_rounds"].default, given["num_steps"].default) == (15, 100)


def test_the_words_may_be_numbers_of_numpy():
    numpy = {name: np.float64(value) for name, value in PLAY.items()}
    sizes = {name: np.int64(value) for name, value in SHORT.items()}
    found = ring.play(**numpy, **sizes, seed=np.int64(0))
    assert torch.equal(found, ring.play(**PLAY, **SHORT, seed=0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_rounds": 0}, "num_rounds of at least 1, got 0"),
        ({"generator_rate": 0.0}, "change rate"),
        ({"discriminator_rate": -1.0}, "ratio must be 0 or more"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"seed": -1}, "change seed"),
    ],
)
def test_a_game_that_cannot_be_played_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ring.play(**{**PLAY, **SHORT, "seed": 0, **wrong})


def test_clouds_of_any_dtype_are_judged():
    cloud = ring.centers().repeat(250, 1).double()
    assert ring.judge(cloud[None]) == {"modes": [8], "near": [1.0]}
    with pytest.raises(ValueError, match="clouds must have the shape"):
        ring.judge(cloud)
