"""Toy sets are drawn from the density that they state."""

import math

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


def test_the_mixture_has_the_first_two_moments_of_its_density():
    weights, locs, scales, n = [0.25, 0.75], [-2.0, 1.0], [0.5, 1.0], 20_000
    draws = toy.mixture_1d(n, weights, locs, scales, seed=3).double()
    mean = sum(w * m for w, m in zip(weights, locs, strict=True))
    second = sum(
        w * (m**2 + s**2) for w, m, s in zip(weights, locs, scales, strict=True)
    )
    assert abs(draws.mean() - mean) <= 4 * draws.std() / math.sqrt(n)
    squares = draws.square()
    assert abs(squares.mean() - second) <= 4 * squares.std() / math.sqrt(n)


def test_a_seed_decides_the_toy_sets_and_leaves_the_global_state_alone():
    def ring(seed):
        return toy.ring_of_gaussians(50, seed=seed)

    def mixture(seed):
        return toy.mixture_1d(50, [0.5, 0.5], [0.0, 3.0], [1.0, 1.0], seed)

    state = torch.get_rng_state()
    for draw in (ring, mixture):
        assert torch.equal(draw(5), draw(5))
        assert not torch.equal(draw(5), draw(6))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be positive and finite, got 0"),
        ({"modes": 0}, "modes must be positive and finite, got 0"),
        ({"radius": math.inf}, "radius must be positive and finite, got inf"),
        ({"scale": -0.1}, "scale must be positive and finite, got -0.1"),
        ({"scale": math.nan}, "scale must be positive and finite, got nan"),
    ],
)
def test_the_ring_names_a_bad_number(change, message):
    with pytest.raises(ValueError, match=message):
        toy.ring_of_gaussians(**{"n": 5, "seed": 0, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be positive and finite, got 0"),
        ({"weights": [1.0]}, "one entry per Gaussian, got 1, 2 and 2"),
        ({"weights": [], "locs": [], "scales": []}, "got 0, 0 and 0"),
        ({"weights": [0.5, 0.6]}, r"sum to 1, got \[0.5, 0.6\]"),
        ({"weights": [-0.5, 1.5]}, r"at least 0 and sum to 1, got \[-0.5, 1.5\]"),
        ({"weights": [0.5, math.nan]}, "sum to 1, got"),
        ({"locs": [0.0, math.nan]}, r"locs must be finite, got \[0.0, nan\]"),
        ({"scales": [1.0, -1.0]}, "scales must be positive and finite, got -1.0"),
        ({"scales": [1.0, 0.0]}, "scales must be positive and finite, got 0.0"),
    ],
)
def test_the_mixture_names_a_bad_number(change, message):
    good = {"n": 5, "weights": [0.5, 0.5], "locs": [0.0, 1.0], "scales": [1.0, 1.0]}
    with pytest.raises(ValueError, match=message):
        toy.mixture_1d(**{**good, **change}, seed=0)
