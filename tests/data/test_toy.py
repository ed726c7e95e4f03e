"""Toy sets are drawn from the density that they state."""

import math

import numpy as np
import pytest
import torch

from jensengap.data import toy


def test_the_ring_has_equal_modes_at_its_radius_and_of_its_scale():
    n, modes, radius, scale = 8000, 8, 2.0, 0.02
    points = toy.ring_of_gaussians(n, modes=modes, radius=radius, scale=scale, seed=1)
    angle = 2 * math.pi * torch.arange(modes) / modes
    centers = radius * torch.stack([angle.cos(), angle.sin()], 1)
    distance, nearest = torch.cdist(points, centers).min(1)
    assert distance.max() < 6 * scale
    share = torch.bincount(nearest, minlength=modes) / n
    stderr = math.sqrt((1 / modes) * (1 - 1 / modes) / n)
    assert ((share - 1 / modes).abs() <= 4 * stderr).all()
    variance = (points - centers[nearest]).square() / scale**2  # (n, 2), of mean 1
    assert abs(variance.mean() - 1) <= 4 * math.sqrt(2 / (2 * n))


def test_a_seed_decides_the_ring_and_leaves_the_global_state_alone():
    def ring(seed):
        return toy.ring_of_gaussians(50, seed=seed)

    state = torch.get_rng_state()
    assert torch.equal(ring(5), ring(5))
    assert not torch.equal(ring(5), ring(6))
    assert torch.equal(state, torch.get_rng_state())


def test_a_generator_gives_the_next_points_of_its_own():
    chance = torch.Generator().manual_seed(5)
    first, second = (toy.ring_of_gaussians(50, seed=chance) for _ in range(2))
    assert torch.equal(first, toy.ring_of_gaussians(50, seed=5))
    assert not torch.equal(first, second)


def test_numbers_of_numpy_are_numbers():
    plain = toy.ring_of_gaussians(5, modes=3, radius=1.0, scale=0.5, seed=7)
    sizes = {"modes": np.int64(3), "radius": np.float32(1), "scale": np.float64(0.5)}
    found = toy.ring_of_gaussians(np.int64(5), **sizes, seed=np.int64(7))
    assert torch.equal(plain, found)
    assert torch.equal(toy.ring_centers(np.uint8(4), 1), toy.ring_centers(4, 1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be positive and finite, got 0"),
        ({"modes": 0}, "modes must be positive and finite, got 0"),
        ({"radius": math.inf}, "radius must be positive and finite, got inf"),
        ({"scale": -0.1}, "scale must be positive and finite, got -0.1"),
        ({"n": 5.0}, "n must be a whole number, got 5.0"),
        ({"scale": math.nan}, "scale must be a number, got NaN"),
    ],
)
def test_the_ring_names_a_bad_number(change, message):
    with pytest.raises(ValueError, match=message):
        toy.ring_of_gaussians(**{"n": 5, "seed": 0, **change})
