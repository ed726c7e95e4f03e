"""Integrals by weighted sums: exact where the rule promises it."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import (
    Independent,
    Laplace,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    Uniform,
)

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


CORRELATED = MultivariateNormal(
    torch.tensor([0.5, -1.0], **F64), torch.tensor([[2.0, 0.9], [0.9, 0.5]], **F64)
)
ROOT = torch.tensor([[1.0, 0.2], [-0.5, 0.4]], **F64)


@pytest.mark.parametrize(
    "q",
    [
        CORRELATED,
        CORRELATED.expand((3,)),
        LowRankMultivariateNormal(torch.ones(2, **F64), ROOT, torch.ones(2, **F64)),
    ],
    ids=["full", "batch", "low rank"],
)
def test_gauss_hermite_of_a_correlated_gaussian_has_its_covariance(q):
    z, log_weight = quadrature.gauss_hermite(q, 3)
    w = log_weight.exp()
    mean = torch.einsum("n,n...i->...i", w, z)
    torch.testing.assert_close(mean, q.mean)
    off = z - q.mean
    covariance = torch.einsum("n,n...i,n...j->...ij", w, off, off)
    torch.testing.assert_close(covariance, q.covariance_matrix)
    # Isserlis: E[x² y²] of centred Gaussians is s_xx s_yy + 2 s_xy²
    fourth = torch.einsum("n,n...->...", w, off[..., 0] ** 2 * off[..., 1] ** 2)
    s = q.covariance_matrix
    wanted = s[..., 0, 0] * s[..., 1, 1] + 2 * s[..., 0, 1] ** 2
    torch.testing.assert_close(fourth, wanted)


def test_gauss_hermite_of_a_correlated_gaussian_integrates_the_exponential():
    z, log_weight = quadrature.gauss_hermite(CORRELATED, 20)
    t = torch.tensor([0.3, -0.7], **F64)
    found = quadrature.log_evidence(z @ t, log_weight)
    wanted = t @ CORRELATED.mean + t @ CORRELATED.covariance_matrix @ t / 2
    assert abs(found - wanted) < 1e-13


@pytest.mark.parametrize(
    "q",
    [
        Independent(Uniform(torch.zeros(2, **F64), 1.0), 1),
        Independent(Laplace(torch.zeros(2, **F64), 1.0), 1),
        Normal(torch.zeros(2, **F64), 1.0),
    ],
    ids=lambda q: type(q).__name__,
)
def test_gauss_hermite_of_what_is_no_gaussian_vector_is_refused(q):
    with pytest.raises(ValueError, match=r"^q must be a Gaussian vector, got"):
        quadrature.gauss_hermite(q, 3)


def test_gauss_hermite_carries_the_gradient_of_mean_and_covariance():
    loc = torch.tensor([0.5, -1.0], **F64, requires_grad=True)
    factor = torch.tensor([[1.2, 0.0], [0.4, 0.7]], **F64, requires_grad=True)
    z, log_weight = quadrature.gauss_hermite(
        MultivariateNormal(loc, scale_tril=factor), 3
    )
    mean = (log_weight.exp() * z[:, 0] * z[:, 1]).sum()
    of_loc, of_factor = torch.autograd.grad(mean, (loc, factor))
    # E[xy] = m_x m_y + L_11 L_21
    torch.testing.assert_close(of_loc, torch.tensor([-1.0, 0.5], **F64))
    wanted = torch.tensor([[0.4, 0.0], [1.2, 0.0]], **F64)
    torch.testing.assert_close(of_factor.tril(), wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize("num", [1, 2, 5, 40, 101, 350])
def test_nodes_and_weights_are_those_of_numpy(num):
    z, log_weight = quadrature.gauss_hermite(prior(1), num)
    nodes, weights = np.polynomial.hermite_e.hermegauss(num)
    np.testing.assert_allclose(z[:, 0], nodes, rtol=0, atol=1e-12)
    with np.errstate(divide="ignore"):
        logs = np.log(weights / weights.sum())
    kept = logs > -600  # further out numpy's weights underflow
    np.testing.assert_allclose(log_weight[kept], logs[kept], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("num", [370, 400, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_nodes_have_weights_and_the_moments_of_the_gaussian(num, dtype):
    q = nets.gaussian(torch.tensor([1.5], dtype=dtype), 2.0)
    z, log_weight = quadrature.gauss_hermite(q, num)
    assert log_weight.isfinite().all()
    assert z.isfinite().all()
    t = (z[:, 0].double() - 1.5) / 2
    eps = torch.finfo(dtype).eps
    assert abs(log_weight.double().logsumexp(0)) < num * eps
    moment = 1.0
    for degree in range(2, 13, 2):
        moment *= degree - 1  # (2n - 1)!!
        found = (log_weight.double().exp() * t**degree).sum()
        assert abs(found / moment - 1) < 20 * num * eps
    # an integrand that no polynomial is, against its closed form
    cosine = (log_weight.double().exp() * t.cos()).sum()
    assert abs(cosine - math.exp(-0.5)) < num * eps


@pytest.mark.parametrize("num", [10_001, 10**9])
def test_a_degree_that_takes_too_long_is_refused_with_its_limit(num):
    with pytest.raises(ValueError, match=f"at most 10000, got {num};"):
        quadrature.gauss_hermite(prior(1), num)


def test_a_rule_that_no_memory_holds_is_refused():
    said = (
        r"^a rule of 50 \*\* 8 nodes is too large, a rule may hold 50,000,000 numbers; "
        r"take fewer nodes a side, or sample \(kl_monte_carlo, log_evidence\)$"
    )
    with pytest.raises(ValueError, match=said):
        quadrature.gauss_hermite(prior(8), 50)
    with pytest.raises(ValueError, match=r"1000 \*\* 3 nodes is too large"):
        quadrature.grid(1000, dim=3)
    with pytest.raises(ValueError, match=r"2 \*\* 1000 nodes is too large"):
        quadrature.grid(2, dim=1000)


@pytest.mark.parametrize("num", [2.5, True, "3", None, torch.tensor([3, 4])])
def test_a_number_of_nodes_is_whole(num):
    with pytest.raises(ValueError, match=r"^num must be a whole number, got"):
        quadrature.gauss_hermite(prior(1), num)
    with pytest.raises(ValueError, match=r"^num must be a whole number, got"):
        quadrature.grid(num)


def test_whole_numbers_of_other_libraries_are_taken():
    for num in (np.int64(3), torch.tensor(3), np.uint8(3)):
        assert quadrature.gauss_hermite(prior(1), num)[0].shape == (3, 1)
        assert quadrature.grid(num, limit=np.float32(2), dim=1).nodes.shape == (3, 1)


def test_a_tiny_square_keeps_the_logarithm_of_its_cells():
    grid = quadrature.grid(3, limit=1e-200, dim=2)
    wanted = 2 * math.log(1e-200) - 2 * math.log(2)
    # the corner node has a quarter of a cell of side 1e-200
    assert grid.log_weight[0].item() == pytest.approx(wanted)


def test_weights_of_another_rule_are_refused():
    with pytest.raises(
        ValueError, match=r"^log_weight must have .* n = 5.* got \(4,\)"
    ):
        quadrature.log_evidence(torch.zeros(5, 3), torch.zeros(4))


def test_the_evidence_of_small_densities_is_no_zero():
    log_joint = torch.full((5,), -5000.0, **F64)
    weight = torch.full((5,), -math.log(5), **F64)
    assert abs(quadrature.log_evidence(log_joint, weight) + 5000) < 1e-11
    impossible = torch.full((5,), -math.inf, **F64)
    assert quadrature.log_evidence(impossible, weight) == -math.inf


def test_the_largest_square_is_one_whose_side_is_a_float():
    grid = quadrature.grid(2, limit=8e307, dim=1)
    # both nodes are ends of one cell
    wanted = math.log(8e307) * torch.ones(2, **F64)
    torch.testing.assert_close(grid.log_weight, wanted)
    with pytest.raises(ValueError, match=r"a finite limit > 0"):
        quadrature.grid(2, limit=1e308, dim=1)


def test_limits_belong_to_what_is_allowed(monkeypatch):
    monkeypatch.setattr(quadrature, "LARGEST_DEGREE", 5)
    assert len(quadrature.gauss_hermite(prior(1), 5)[0]) == 5
    with pytest.raises(ValueError, match=r"at most 5, got 6;"):
        quadrature.gauss_hermite(prior(1), 6)
    monkeypatch.setattr(quadrature, "LARGEST", 7)
    assert len(quadrature.grid(7, dim=1).nodes) == 7
    with pytest.raises(ValueError, match=r"8 \*\* 1 nodes is too large"):
        quadrature.grid(8, dim=1)
    # nine nodes of two numbers each
    monkeypatch.setattr(quadrature, "LARGEST", 17)
    with pytest.raises(ValueError, match=r"3 \*\* 2 nodes is too large"):
        quadrature.grid(3, dim=2)
    monkeypatch.setattr(quadrature, "LARGEST", 19)
    assert quadrature.grid(3, dim=2).nodes.numel() == 18
