"""Divergences agree with their definitions, and none stands in for another."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import entr
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    Laplace,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    Poisson,
    Uniform,
)

from jensengap import divergences, gaussians, nets, quadrature

F64 = {"dtype": torch.float64}


def normal(loc, scale):
    return Normal(torch.tensor(loc, **F64), torch.tensor(scale, **F64))


@pytest.fixture
def line():
    return quadrature.grid(1201, limit=15.0, dim=1)


def test_kl_of_two_gaussians_is_the_textbook_formula():
    wanted = math.log(1.3 / 0.7) + (0.7**2 + (0.4 - 2) ** 2) / (2 * 1.3**2) - 0.5
    q, p = normal(0.4, 0.7), normal(2.0, 1.3)
    assert abs(divergences.kl(q, p) - wanted) < 1e-14


def test_kl_averages_under_its_first_argument():
    q, p = Categorical(torch.tensor([0.5, 0.5])), Categorical(torch.tensor([0.9, 0.1]))
    wanted = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    assert abs(divergences.kl(q, p) - wanted) < 1e-6
    assert abs(divergences.kl(p, q) - wanted) > 0.1


def test_kl_of_a_factorised_distribution_is_the_sum_over_its_dimensions():
    q = nets.gaussian(torch.tensor([[0.0, 1.0], [2.0, 3.0]], **F64), 0.5)
    p = nets.gaussian(torch.zeros(2, **F64), 1.0)
    total = divergences.kl(q, p)
    assert total.shape == (2,)
    wanted = divergences.kl(q.base_dist, p.base_dist).sum(-1)
    torch.testing.assert_close(total, wanted, rtol=0, atol=1e-14)


def test_kl_without_a_closed_form_is_refused_and_never_sampled():
    with pytest.raises(
        ValueError,
        match=r"^no closed form of KL\(Normal \|\| Bernoulli\) is known; use "
        r"kl_monte_carlo\(q, p, num_samples\), which returns a standard error$",
    ):
        divergences.kl(Normal(0.0, 1.0), Bernoulli(0.5))


def test_the_monte_carlo_kl_lies_within_four_standard_errors_of_the_exact_one():
    torch.manual_seed(0)
    q = Normal(torch.tensor([0.0, 1.0], **F64), torch.tensor([1.0, 0.5], **F64))
    p = normal(0.3, 1.4)
    estimate = divergences.kl_monte_carlo(q, p, 4000)
    off = (estimate.mean - divergences.kl(q, p)).abs() / estimate.stderr
    assert (off < 4).all()
    assert (estimate.stderr < 0.02).all()
    assert (estimate.mean > 4 * estimate.stderr).all()  # a flipped sign would show


def test_the_monte_carlo_kl_serves_pairs_that_have_no_closed_form(line):
    q, p = normal(0.2, 0.8), Laplace(torch.zeros((), **F64), torch.ones((), **F64))
    torch.manual_seed(0)
    z = line.nodes[:, 0]
    truth = divergences.kl_quadrature(q.log_prob(z), p.log_prob(z), line.log_weight)
    estimate = divergences.kl_monte_carlo(q, p, 4000)
    assert abs(estimate.mean - truth) < 4 * estimate.stderr


@pytest.mark.parametrize("num_samples", [-1, 0, 1])
def test_too_few_samples_are_refused_with_their_number(num_samples):
    with pytest.raises(ValueError, match=f"at least 2, got {num_samples}"):
        divergences.kl_monte_carlo(Normal(0.0, 1.0), Normal(0.0, 1.0), num_samples)


@pytest.mark.parametrize(
    ("k", "said"),
    [(0, r"at least 1, got \(0, 3\)$"), (1, "at least 2 samples, got 1;")],
)
def test_one_draw_has_no_standard_error(k, said):
    with pytest.raises(ValueError, match=said):
        divergences.Estimate.of(torch.ones(k, 3))


def test_two_draws_have_one():
    mean, stderr = divergences.Estimate.of(torch.tensor([1.0, 3.0], **F64))
    assert mean == 2
    assert abs(stderr - 1) < 1e-15
    torch.manual_seed(0)
    estimate = divergences.kl_monte_carlo(normal(0.0, 1.0), normal(1.0, 2.0), 2)
    torch.manual_seed(0)
    z = normal(0.0, 1.0).sample((2,))
    difference = normal(0.0, 1.0).log_prob(z) - normal(1.0, 2.0).log_prob(z)
    assert abs(estimate.mean - difference.mean()) < 1e-15
    assert abs(estimate.stderr - (difference[0] - difference[1]).abs() / 2) < 1e-15


def test_an_estimate_is_mean_and_spread_over_root_k():
    samples = torch.tensor([[1.0, 0.0], [2.0, 0.0], [6.0, 3.0]], **F64)
    mean, stderr = divergences.Estimate.of(samples)
    torch.testing.assert_close(mean, torch.tensor([3.0, 1.0], **F64))
    wanted = torch.tensor([14 / 6, 6 / 6], **F64).sqrt()  # sum of squares / k(k-1)
    torch.testing.assert_close(stderr, wanted, rtol=0, atol=1e-15)


def test_quadrature_gives_the_closed_form_for_every_column_at_once(line):
    q = Normal(torch.tensor([0.0, 1.0], **F64), torch.tensor([1.0, 0.6], **F64))
    p = normal(0.5, 1.2)
    log_q, log_p = q.log_prob(line.nodes), p.log_prob(line.nodes).expand(-1, 2)
    values = divergences.kl_quadrature(log_q, log_p, line.log_weight)
    torch.testing.assert_close(values, divergences.kl(q, p), rtol=0, atol=1e-12)


def test_a_node_without_q_costs_nothing_and_one_without_p_everything():
    nothing = torch.tensor([-math.inf], **F64)
    half = torch.tensor([math.log(0.5)] * 2, **F64)
    even, one = torch.cat([half, nothing]), torch.tensor([0.0, -math.inf, -math.inf])
    flat = torch.zeros(3, **F64)
    assert (
        abs(divergences.kl_quadrature(one.double(), even, flat) - math.log(2)) < 1e-15
    )
    assert divergences.kl_quadrature(even, one.double(), flat) == math.inf


def test_jensen_shannon_agrees_with_an_independent_integrator(line):
    p, q = normal(0.0, 1.0), normal(2.0, 1.3)

    def integrand(z):
        a, b = (float(d.log_prob(torch.tensor(z, **F64)).exp()) for d in (p, q))
        m = (a + b) / 2
        return 0.5 * (a * math.log(a / m) + b * math.log(b / m))

    wanted, _ = quad(integrand, -12, 14, epsabs=1e-13, epsrel=1e-13)
    z = line.nodes[:, 0]
    value = divergences.jensen_shannon(p.log_prob(z), q.log_prob(z), line.log_weight)
    assert abs(value - wanted) < 1e-10
    # the ceiling of the minimax game between these two, as the chapter has it
    assert abs(-math.log(4) + 2 * value + 0.8270703) < 1e-7


def test_jensen_shannon_ends_at_log_two_where_the_supports_part():
    gone = -math.inf
    p, q = torch.tensor([0.0, gone], **F64), torch.tensor([gone, 0.0], **F64)
    flat = torch.zeros(2, **F64)
    assert abs(divergences.jensen_shannon(p, q, flat) - math.log(2)) < 1e-15
    assert divergences.jensen_shannon(p, p, flat) == 0


FULL = MultivariateNormal(
    torch.tensor([0.3, -0.5], **F64), torch.tensor([[1.5, 0.7], [0.7, 0.8]], **F64)
)
DIAGONAL = nets.gaussian(
    torch.tensor([-0.2, 0.4], **F64), torch.tensor([0.9, 1.3], **F64)
)


def by_numpy(q, p):
    """Compute the textbook formula of two Gaussians, by numpy."""
    means = [d.mean.numpy() for d in (q, p)]
    s_q, s_p = (gaussians.joint(d).covariance_matrix.numpy() for d in (q, p))
    inverse, off = np.linalg.inv(s_p), means[1] - means[0]
    ratio = np.linalg.slogdet(s_p)[1] - np.linalg.slogdet(s_q)[1]
    return (np.trace(inverse @ s_q) + off @ inverse @ off - len(off) + ratio) / 2


LOW_RANK = LowRankMultivariateNormal(
    torch.zeros(2, **F64), torch.tensor([[1.0], [0.5]], **F64), torch.ones(2, **F64)
)


@pytest.mark.parametrize(
    ("q", "p"),
    [(DIAGONAL, FULL), (FULL, DIAGONAL), (FULL, FULL), (LOW_RANK, DIAGONAL),
     (DIAGONAL, LOW_RANK), (LOW_RANK, FULL), (DIAGONAL, DIAGONAL)],
)  # fmt: skip
def test_kl_of_gaussians_is_one_formula_whatever_their_covariance(q, p):
    closed = divergences.kl(q, p)
    assert abs(closed - by_numpy(q, p)) < 1e-13
    torch.manual_seed(0)
    estimate = divergences.kl_monte_carlo(q, p, 4000)
    # equal ones have no spread at all
    assert abs(estimate.mean - closed) <= 4 * estimate.stderr + 1e-14
    assert estimate.stderr < 0.1


def test_kl_of_a_batch_of_gaussians_is_that_of_each():
    q = nets.gaussian(torch.randn(5, 2, **F64), 0.7)
    wanted = torch.tensor([by_numpy(nets.gaussian(m, 0.7), FULL) for m in q.mean])
    torch.testing.assert_close(divergences.kl(q, FULL), wanted.double())
    assert divergences.kl(FULL, q).shape == (5,)


def five_draws(q, p):
    return divergences.kl_monte_carlo(q, p, 5)


@pytest.mark.parametrize("function", [divergences.kl, five_draws])
def test_distributions_of_different_things_have_no_divergence(function):
    vector = Independent(Normal(torch.zeros(2), 1.0), 1)
    with pytest.raises(
        ValueError,
        match=r"^event shapes differ, \(2,\) and \(\): wrap p in Independent\(p, 1\)$",
    ):
        function(vector, Normal(torch.zeros(2), 1.0))
    with pytest.raises(ValueError, match=r"batch shapes must fit .* \(3,\) and \(2,\)"):
        function(Normal(torch.zeros(3), 1.0), Normal(torch.zeros(2), 1.0))


def test_a_closed_form_that_is_no_number_is_refused():
    nothing, something = Poisson(torch.tensor(0.0)), Poisson(torch.tensor(2.0))
    # torch computes 0 log 0 of it; the divergence is 2
    with pytest.raises(
        ValueError, match=r"closed form of KL\(Poisson \|\| Poisson\) is"
    ):
        divergences.kl(nothing, something)
    estimate = divergences.kl_monte_carlo(nothing, something, 10)
    assert estimate == (2, 0)
    assert divergences.kl(something, nothing) == math.inf


def test_mass_outside_of_the_support_makes_the_divergence_infinite():
    wide, narrow = Uniform(0.0, 2.0), Uniform(0.0, 1.0)
    torch.manual_seed(0)
    for both in ((wide, narrow), (Normal(0.0, 1.0), Uniform(-1.0, 1.0))):
        assert divergences.kl_monte_carlo(*both, 100) == (math.inf, math.inf)
    assert divergences.kl(wide, narrow) == math.inf
    inside = divergences.kl_monte_carlo(narrow, wide, 100)
    assert inside.mean.item() == pytest.approx(math.log(2))
    assert inside.stderr < 1e-6


def test_only_the_column_whose_draws_leave_the_support_is_infinite():
    q = Uniform(torch.zeros(2), torch.tensor([2.0, 0.5]))
    torch.manual_seed(0)
    mean, stderr = divergences.kl_monte_carlo(q, Uniform(0.0, 1.0), 100)
    assert mean[0] == stderr[0] == math.inf
    assert mean[1].item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_sample_axis_meets_no_batch_of_the_same_size(k):
    scalar = normal(0.0, 1.0)
    many = Normal(torch.tensor([0.0, 1.0, 2.0], **F64), torch.ones(3, **F64))
    for q, p in ((scalar, many), (many, scalar)):
        torch.manual_seed(0)
        mean, stderr = divergences.kl_monte_carlo(q, p, k)
        torch.manual_seed(0)
        z = q.expand((3,)).sample((k,))
        terms = q.log_prob(z) - p.log_prob(z)
        torch.testing.assert_close(mean, terms.mean(0))
        torch.testing.assert_close(stderr, terms.std(0) / math.sqrt(k))
    torch.manual_seed(0)
    rows = divergences.kl_monte_carlo(
        Normal(torch.zeros(3, 1), 1.0), Normal(torch.ones(2), 1.0), k
    )
    assert rows.mean.shape == (3, 2)


def test_an_infinite_sample_makes_mean_and_error_infinite():
    samples = torch.tensor([[1.0, 0.0], [math.inf, 2.0]], **F64)
    mean, stderr = divergences.Estimate.of(samples)
    assert mean.tolist() == [math.inf, 1.0]
    assert stderr.tolist() == [math.inf, 1.0]


@pytest.mark.parametrize("gone", [0, 1, 3])
def test_jensen_shannons_slope_is_finite_where_both_densities_are_zero(gone):
    log_p = torch.tensor([0.2, 0.5, 0.3] + [0.0] * gone, **F64).log().requires_grad_()
    log_q = torch.tensor([0.6, 0.4, 0.0] + [0.0] * gone, **F64).log().requires_grad_()
    value = divergences.jensen_shannon(log_p, log_q, torch.zeros(3 + gone, **F64))
    p, q = log_p.detach().exp(), log_q.detach().exp()
    half = entr(((p + q) / 2).numpy()) - entr(p.numpy()) / 2 - entr(q.numpy()) / 2
    assert abs(value - half.sum()) < 1e-15
    slopes = torch.autograd.grad(value, (log_p, log_q))
    for slope, own, other in zip(slopes, (p, q), (q, p), strict=True):
        # d/dlog p of -(m log m) + (p log p)/2 is p log(p/m) / 2, and 0 where p is
        wanted = torch.xlogy(own, 2 * own / (own + other)).nan_to_num() / 2
        torch.testing.assert_close(slope, wanted, rtol=0, atol=1e-15)


def test_masses_that_no_float_holds_are_refused():
    log_q, one = torch.full((3,), 799.0, **F64), torch.ones(3, **F64)
    with pytest.raises(
        ValueError, match=r"masses that sum to one, got 800; normalise q"
    ):
        divergences.kl_quadrature(log_q, log_q, one)


def test_tables_of_different_nodes_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^log_p must have .* n = 3.* got \(4,\)"):
        divergences.kl_quadrature(torch.zeros(3), torch.zeros(4), torch.zeros(3))
    with pytest.raises(ValueError, match=r"^log_weight must have .* n = 3"):
        divergences.jensen_shannon(torch.zeros(3), torch.zeros(3), torch.zeros(4))


def test_a_gaussian_against_another_family_has_torchs_closed_form(line):
    q = nets.gaussian(torch.tensor([0.2, -0.5], **F64), 0.8)
    p = Independent(Laplace(torch.zeros(2, **F64), 1.0), 1)
    log_q = q.base_dist.log_prob(line.nodes)
    log_p = p.base_dist.log_prob(line.nodes)
    wanted = divergences.kl_quadrature(log_q, log_p, line.log_weight).sum()
    # the kink of the Laplace at a node costs the rule its spacing squared
    assert abs(divergences.kl(q, p) - wanted) < 1e-4


def test_one_table_is_held_against_each_column_of_another(line):
    z = line.nodes[:, 0]
    one, many = normal(0.2, 0.8).log_prob(z), normal([0.0, 1.0, -1.0], [1.0, 2.0, 0.5])
    many = many.log_prob(line.nodes)
    for function in (divergences.kl_quadrature, divergences.jensen_shannon):
        for pair in ((one, many), (many, one)):
            columns = [
                function(
                    *(t[:, i] if t.dim() > 1 else t for t in pair), line.log_weight
                )
                for i in range(3)
            ]
            found = function(*pair, line.log_weight)
            torch.testing.assert_close(found, torch.stack(columns))
