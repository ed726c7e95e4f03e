"""The rate and its parts, against quadrature and codes whose values are known."""

import math

import pytest
import torch

from jensengap import divergences, metrics, nets, quadrature

F64 = {"dtype": torch.float64}


@pytest.fixture
def codes():
    """Seven codes in the plane, of different widths."""
    torch.manual_seed(0)
    return nets.gaussian(torch.randn(7, 2, **F64), 0.2 + torch.rand(7, 2, **F64))


def prior(dim=2):
    return nets.gaussian(torch.zeros(dim, **F64), 1.0)


def test_a_unit_is_active_where_its_mean_follows_the_data():
    torch.manual_seed(0)
    means = torch.randn(500, 3) * torch.tensor([1.0, 0.0, 0.05]) + 7.0
    assert metrics.active_units(means).tolist() == [True, False, False]
    assert metrics.active_units(means, 0.001).tolist() == [True, False, True]


def test_the_variance_is_over_examples_and_unbiased():
    means = torch.tensor([[0.0], [0.2]])  # variance 0.02 with n - 1, 0.01 with n
    assert metrics.active_units(means, 0.015).all()
    assert not metrics.active_units(means, 0.021).any()
    assert metrics.active_units(means).all()  # above a hundredth
    assert not metrics.active_units(torch.tensor([[0.0], [1.0]]), 0.5).any()


@pytest.mark.parametrize(
    ("num", "threshold", "said"),
    [
        (1, 0.01, "got 1 and 0.01$"),
        (5, 0.0, "got 5 and 0.0$"),
        (5, math.nan, "^threshold must be a number, got NaN"),
    ],
)
def test_activity_needs_examples_and_a_threshold(num, threshold, said):
    with pytest.raises(ValueError, match=said):
        metrics.active_units(torch.zeros(num, 2), threshold)


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_the_aggregate_is_the_mean_of_the_codes_densities(codes, chunk):
    torch.manual_seed(1)
    z = torch.randn(4, 3, 2, **F64)
    wanted = codes.log_prob(z[..., None, :]).exp().mean(-1).log()
    torch.testing.assert_close(metrics.log_aggregate(codes, z, chunk), wanted)


def test_the_aggregate_is_a_density(codes):
    grid = quadrature.grid(201, limit=9.0)
    log_q = metrics.log_aggregate(codes, grid.nodes)
    total = quadrature.log_evidence(log_q, grid.log_weight)
    torch.testing.assert_close(total, torch.zeros_like(total))


def test_an_aggregate_needs_a_batch_of_codes_and_a_chunk(codes):
    with pytest.raises(ValueError, match="batch shape"):
        metrics.log_aggregate(prior(), torch.zeros(3, 2, **F64))
    with pytest.raises(ValueError, match=r"of batch shape \(7,\) and 0$"):
        metrics.log_aggregate(codes, torch.zeros(3, 2, **F64), chunk=0)


def test_the_parts_of_the_rate_are_those_of_the_grid(codes):
    torch.manual_seed(2)
    rate = metrics.rate(codes, prior(), num_samples=20_000)
    grid = quadrature.grid(301, limit=9.0)
    log_q = codes.log_prob(grid.nodes[:, None])  # (n, 7)
    log_all = log_q.logsumexp(1) - math.log(7)
    each = divergences.kl_quadrature(
        log_q, log_all[:, None].expand(-1, 7), grid.log_weight
    )
    marginal = divergences.kl_quadrature(
        log_all, prior().log_prob(grid.nodes), grid.log_weight
    )
    for estimate, exact in ((rate.information, each.mean()), (rate.marginal, marginal)):
        assert (estimate.mean - exact).abs() < 4 * estimate.stderr
        assert estimate.stderr < 0.01
    torch.testing.assert_close(rate.total, each.mean() + marginal)


def test_information_stops_at_log_n_and_codes_that_are_one_carry_none():
    torch.manual_seed(3)
    apart = nets.gaussian(torch.arange(5.0, **F64)[:, None] * 1000, 1.0)
    one = nets.gaussian(torch.zeros(5, 1, **F64), 1.0)
    information = metrics.rate(apart, prior(1)).information
    assert information.mean.item() == pytest.approx(math.log(5))
    nothing = metrics.rate(one, prior(1))
    assert nothing.total == 0
    assert nothing.information.mean.abs() < 1e-12
    assert nothing.marginal.mean.abs() < 1e-12


def test_ten_draws_are_taken_unless_told():
    code = nets.gaussian(torch.randn(3, 2, **F64), 0.5)
    seen = []
    for given in ((), (10,)):
        torch.manual_seed(4)
        seen.append(metrics.rate(code, prior(), *given))
    assert seen[0] == seen[1]


def test_an_error_bar_needs_two_draws(codes):
    assert metrics.rate(codes, prior(), num_samples=2).marginal.stderr > 0
    with pytest.raises(ValueError, match="num_samples must be at least 2, got 1"):
        metrics.rate(codes, prior(), num_samples=1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_variance_of_halves_does_not_overflow(dtype):
    means = torch.tensor([[300.0, 0.0], [-300.0, 0.0]]).to(dtype)
    assert metrics.active_units(means, 1e5).tolist() == [True, False]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_mean_that_is_not_finite_is_no_inactive_unit(bad):
    with pytest.raises(ValueError, match=f"^means must be finite, got {bad}: 1 of 4"):
        metrics.active_units(torch.tensor([[0.0, bad], [1.0, 2.0]]))


def test_points_of_another_dimension_have_no_aggregate(codes):
    with pytest.raises(ValueError, match=r"event shape of q, \(2,\), got \(4, 3\)"):
        metrics.log_aggregate(codes, torch.zeros(4, 3, **F64))
    plain = torch.distributions.Normal(torch.zeros(7, 2), 1.0)
    with pytest.raises(ValueError, match=r"got Normal of batch shape \(7, 2\)"):
        metrics.log_aggregate(plain, torch.zeros(4, 2))


def test_a_prior_of_another_dimension_has_no_rate(codes):
    with pytest.raises(ValueError, match=r"^event shapes differ, \(2,\) and \(3,\)"):
        metrics.rate(codes, prior(3))


def test_the_rate_of_codes_with_correlations_is_that_of_quadrature():
    torch.manual_seed(5)
    factor = torch.tensor([[0.8, 0.0], [0.5, 0.4]], **F64)
    q = torch.distributions.MultivariateNormal(
        torch.randn(4, 2, **F64), scale_tril=factor
    )
    found = metrics.rate(q, prior(), 4000)
    grid = quadrature.grid(201, limit=9.0)
    log_q = q.log_prob(grid.nodes[:, None])
    log_p = prior().log_prob(grid.nodes)[:, None]
    wanted = divergences.kl_quadrature(log_q, log_p.expand(-1, 4), grid.log_weight)
    torch.testing.assert_close(found.total, wanted.mean())
    parts = found.information.mean + found.marginal.mean
    stderr = found.information.stderr + found.marginal.stderr
    assert abs(parts - found.total) < 4 * stderr
