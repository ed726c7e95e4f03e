"""Integrals by weighted sums: exact where the rule promises it."""

import math

import pytest
import torch

from jensengap import nets, quadrature

F64 = {"dtype": torch.float64}


def prior(dim):
    return nets.gaussian(torch.zeros(dim, **F64), 1.0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_grid_integrates_a_constant_to_its_volume_and_a_gaussian_to_one(dim):
    grid = quadrature.grid(31, limit=7.0, dim=dim)
    assert grid.nodes.shape == (31**dim, dim)
    assert abs(grid.log_weight.exp().sum() / 14.0**dim - 1) < 1e-13
    mass = quadrature.log_evidence(prior(dim).log_prob(grid.nodes), grid.log_weight)
    assert abs(mass) < 1e-10


def test_the_grid_is_the_trapezoidal_rule_to_its_edges():
    grid = quadrature.grid(3, limit=2.0, dim=1)
    assert grid.nodes[:, 0].tolist() == [-2.0, 0.0, 2.0]
    torch.testing.assert_close(
        grid.log_weight.exp(), torch.tensor([1.0, 2.0, 1.0], **F64)
    )


def test_the_smallest_grid_is_two_half_cells():
    grid = quadrature.grid(2, limit=0.5, dim=1)
    assert grid.nodes[:, 0].tolist() == [-0.5, 0.5]
    torch.testing.assert_close(grid.log_weight.exp(), torch.tensor([0.5, 0.5], **F64))


def test_a_grid_that_is_told_no_more_is_a_square_of_sixteen():
    nodes = quadrature.grid(5).nodes
    assert nodes.shape == (25, 2)
    assert nodes.min() == -8
    assert nodes.max() == 8


def test_the_evidence_of_a_batch_is_that_of_its_columns():
    grid = quadrature.grid(5, limit=1.0, dim=1)
    torch.manual_seed(0)
    log_joint = torch.randn(5, 3, 2, **F64)
    together = quadrature.log_evidence(log_joint, grid.log_weight)
    weights = torch.tensor([0.25, 0.5, 0.5, 0.5, 0.25], **F64)
    wanted = torch.einsum("n,nij->ij", weights, log_joint.exp()).log()
    torch.testing.assert_close(together, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "wrong",
    [
        (1, 8.0, 2),
        (9, 0.0, 2),
        (9, -1.0, 2),
        (9, math.nan, 2),
        (9, math.inf, 2),
        (9, 8.0, 0),
    ],
)
def test_a_grid_without_extent_is_refused_with_its_numbers(wrong):
    num, limit, dim = wrong
    said = f"num >= 2.*got {num}, {limit}, {dim}$"
    if math.isnan(limit):
        said = "^limit must be a number, got NaN"
    with pytest.raises(ValueError, match=said):
        quadrature.grid(num, limit, dim)


def test_gauss_hermite_is_exact_for_polynomials_below_twice_its_nodes():
    q = nets.gaussian(torch.tensor([0.5, -1.0], **F64), torch.tensor([0.3, 2.0], **F64))
    z, log_weight = quadrature.gauss_hermite(q, 3)
    assert z.shape == (9, 2)
    assert abs(log_weight.exp().sum() - 1) < 1e-14
    t = (z - q.mean) / q.stddev
    moments = log_weight.exp() @ t ** torch.tensor([[4.0]], **F64)
    torch.testing.assert_close(moments, torch.tensor([3.0, 3.0], **F64))
    mixed = log_weight.exp() @ (z[:, 0] ** 2 * z[:, 1] ** 2)
    assert abs(mixed - (0.25 + 0.09) * (1 + 4)) < 1e-13


def test_gauss_hermite_serves_a_batch_in_its_own_dtype():
    q = nets.gaussian(torch.zeros(7, 2), torch.full((7, 2), 0.5))
    z, log_weight = quadrature.gauss_hermite(q, 4)
    assert z.shape == (16, 7, 2)
    assert z.dtype == log_weight.dtype == torch.float32
    torch.testing.assert_close((log_weight.exp()[:, None, None] * z).sum(0), q.mean)


def test_one_node_of_gauss_hermite_is_the_mean():
    q = nets.gaussian(torch.tensor([0.5, -1.0], **F64), 0.3)
    z, log_weight = quadrature.gauss_hermite(q, 1)
    torch.testing.assert_close(z, q.mean[None], rtol=0, atol=0)
    assert log_weight.tolist() == [0.0]


@pytest.mark.parametrize("num", [0, -3])
def test_gauss_hermite_needs_a_node(num):
    with pytest.raises(ValueError, match=f"num >= 1 .*got {num}"):
        quadrature.gauss_hermite(prior(2), num)
