"""The bounds lie where they must, against enumeration and a model that is known."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from jensengap import bounds, divergences, exact, nets, quadrature

F64 = {"dtype": torch.float64}


def renyi_half(log_w):
    return bounds.renyi(log_w, 0.5)


BOUNDS = [bounds.elbo, bounds.iwae, renyi_half, bounds.cubo]
BOUNDS += [bounds.effective_sample_size]


@pytest.fixture
def conjugate():
    """Model, observation and a guess q that is not the posterior."""
    model = exact.LinearGaussian(
        torch.tensor([[1.7]], **F64), torch.tensor([0.3], **F64), 0.8
    )
    x = torch.tensor([1.9], **F64)
    return model, x, nets.gaussian(torch.tensor([0.4], **F64), 0.55)


@pytest.fixture
def classes():
    """log q(z) and log w(z) of three classes, and the log-evidence they imply."""
    q = torch.tensor([0.5, 0.3, 0.2], **F64)
    joint = torch.tensor([0.02, 0.1, 0.05], **F64)
    return q.log(), (joint / q).log(), joint.sum().log()


def expected_bound(bound, log_q, log_w, k):
    """Sum a bound over every k-tuple of classes, weighted by its probability."""
    total = torch.zeros((), **F64)
    for draw in itertools.product(range(len(log_q)), repeat=k):
        probability = log_q[list(draw)].sum().exp()
        total = total + probability * bound(log_w[list(draw)])
    return total


def test_the_elbo_gap_is_the_kl_to_the_posterior(conjugate):
    model, x, q = conjugate
    prior = nets.gaussian(torch.zeros(1, **F64), 1.0)
    z, log_weight = quadrature.gauss_hermite(q, 3)  # log w is quadratic in z
    log_w = model.likelihood(z).log_prob(x) + prior.log_prob(z) - q.log_prob(z)
    elbo = (log_weight.exp() * log_w).sum()
    posterior = model.posterior(x)
    gap = divergences.kl(q, nets.gaussian(posterior.mean, float(posterior.stddev)))
    assert abs(model.evidence().log_prob(x) - elbo - gap) < 1e-12
    torch.manual_seed(0)
    z = q.sample((4000,))
    log_w = model.likelihood(z).log_prob(x) + prior.log_prob(z) - q.log_prob(z)
    stderr = log_w.std() / math.sqrt(4000)
    assert abs(bounds.elbo(log_w) - elbo) < 4 * stderr


def test_elbo_is_the_mean_over_the_sample_axis_alone():
    log_w = torch.tensor([[-3.0, 0.0], [-1.0, 5.0]], **F64)
    assert torch.equal(bounds.elbo(log_w), torch.tensor([-2.0, 2.5], **F64))


def test_iwae_takes_the_mean_inside_the_logarithm():
    log_w = torch.tensor([[1.0, 4.0], [3.0, 8.0]], **F64).log()
    wanted = torch.tensor([2.0, 6.0], **F64).log()
    torch.testing.assert_close(bounds.iwae(log_w), wanted, rtol=0, atol=1e-15)


def test_renyi_takes_the_mean_of_powers_below_one_and_cubo_above():
    w = torch.tensor([[1.0, 4.0], [4.0, 16.0]], **F64)
    roots = torch.tensor([1.5, 3.0], **F64).square().log()
    torch.testing.assert_close(bounds.renyi(w.log(), 0.5), roots, rtol=0, atol=1e-14)
    squares = torch.tensor([8.5, 136.0], **F64).log() / 2
    torch.testing.assert_close(bounds.cubo(w.log()), squares, rtol=0, atol=1e-14)
    cubes = torch.tensor([32.5, 2080.0], **F64).log() / 3
    torch.testing.assert_close(bounds.cubo(w.log(), 3.0), cubes, rtol=0, atol=1e-14)


def test_every_order_meets_its_neighbours_where_they_end():
    log_w = torch.tensor([[-1.0, 0.3], [0.5, -2.0], [2.0, 0.9]], **F64)
    iwae = bounds.iwae(log_w)
    assert torch.equal(bounds.renyi(log_w, 0.0), iwae)
    assert torch.equal(bounds.cubo(log_w, 1.0), iwae)
    near = bounds.renyi(log_w, 1 - 1e-7)
    torch.testing.assert_close(near, bounds.elbo(log_w), rtol=0, atol=1e-6)
    far = bounds.cubo(log_w, 1e4)
    torch.testing.assert_close(far, log_w.max(0).values, rtol=0, atol=2e-4)


@pytest.mark.parametrize("alpha", [-0.1, 1.0, 1.5, math.nan])
def test_an_order_that_bounds_nothing_from_below_is_refused(alpha):
    wanted = rf"alpha must be in \[0, 1\), got {alpha}; use elbo for alpha=1$"
    if math.isnan(alpha):
        wanted = "^alpha must be a number, got NaN"
    with pytest.raises(ValueError, match=wanted):
        bounds.renyi(torch.zeros(3), alpha)


@pytest.mark.parametrize("order", [0.9, 0.0, -2.0, math.inf, math.nan])
def test_an_order_that_bounds_nothing_from_above_is_refused(order):
    wanted = f"at least 1 and finite, got {order}; below 1 the bound is a lower one, "
    wanted += "see renyi$"
    if math.isnan(order):
        wanted = "^order must be a number, got NaN"
    with pytest.raises(ValueError, match=wanted):
        bounds.cubo(torch.zeros(3), order)


def test_the_elbo_has_the_same_expectation_for_every_number_of_samples(classes):
    log_q, log_w, _ = classes
    values = [float(expected_bound(bounds.elbo, log_q, log_w, k)) for k in (1, 2, 3)]
    assert max(values) - min(values) < 1e-14
    assert abs(values[0] - float((log_q.exp() * log_w).sum())) < 1e-14


def test_iwae_rises_with_every_sample_and_stays_below_the_evidence(classes):
    log_q, log_w, log_evidence = classes
    values = [float(expected_bound(bounds.iwae, log_q, log_w, k)) for k in range(1, 6)]
    assert values == sorted(values)
    assert values[0] < values[1] - 0.01
    assert values[-1] < log_evidence
    assert abs(values[0] - float(expected_bound(bounds.elbo, log_q, log_w, 1))) < 1e-14


def test_the_weights_average_to_the_evidence_itself(classes):
    log_q, log_w, log_evidence = classes

    def mean_weight(drawn):
        return bounds.iwae(drawn).exp()

    for k in (1, 3):
        mean = expected_bound(mean_weight, log_q, log_w, k)
        assert abs(mean.log() - log_evidence) < 1e-14


@pytest.mark.parametrize("k", [1, 2, 50])
def test_with_the_exact_posterior_one_sample_is_enough(conjugate, k):
    model, x, _ = conjugate
    posterior = model.posterior(x)
    torch.manual_seed(0)
    z = posterior.sample((k,))
    prior = nets.gaussian(torch.zeros(1, **F64), 1.0)
    log_w = model.likelihood(z).log_prob(x) + prior.log_prob(z) - posterior.log_prob(z)
    log_p = model.evidence().log_prob(x)
    assert abs(bounds.elbo(log_w) - log_p) < 1e-12
    assert abs(bounds.iwae(log_w) - log_p) < 1e-12
    assert abs(bounds.effective_sample_size(log_w) - k) < 1e-9


def test_the_gradient_of_iwae_is_the_normalised_weights():
    log_w = torch.tensor([-1.0, 0.5, 2.0], **F64, requires_grad=True)
    (gradient,) = torch.autograd.grad(bounds.iwae(log_w), log_w)
    normalised = log_w.detach().exp() / log_w.detach().exp().sum()
    torch.testing.assert_close(gradient, normalised, rtol=0, atol=1e-15)


def test_the_effective_sample_size_follows_kong():
    log_w = torch.tensor([1.0, 2.0, 3.0], **F64).log()
    assert abs(bounds.effective_sample_size(log_w) - 36 / 14) < 1e-14
    lone = torch.tensor([0.0, -math.inf, -math.inf], **F64)
    assert bounds.effective_sample_size(lone) == 1


def test_the_effective_sample_size_keeps_float32s_digits_far_from_zero():
    size = bounds.effective_sample_size(torch.full((10,), -12345.678))
    assert abs(float(size) - 10) < 1e-5


@pytest.mark.parametrize("bound", BOUNDS)
def test_no_samples_are_refused_with_the_shape_that_is_wanted(bound):
    said = r"^log_w must have the shape \(k, \*b\), each size .* 1, got \(0, 3\)$"
    with pytest.raises(ValueError, match=said):
        bound(torch.empty(0, 3))


@pytest.mark.parametrize("bound", BOUNDS)
def test_an_empty_batch_gives_an_empty_answer(bound):
    assert bound(torch.empty(4, 0)).shape == (0,)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.tensor(1.0), r"^log_w must have the shape \(k, \*b\), .* got \(\); x\["),
        (torch.ones(3, 2).long(), r"^log_w must hold floating-point .* call \.float"),
        ([1.0, 2.0], r"^log_w must be a tensor of shape \(k, \*b\), got \[1\.0, 2"),
    ],
)
def test_a_wrong_shape_or_kind_is_refused_in_a_sentence(bound, wrong, said):
    with pytest.raises(ValueError, match=said):
        bound(wrong)


def by_mpmath(log_w, power):
    """Compute log(mean(w ** power)) / power of one column with sixty digits."""
    with mpmath.workdps(60):
        p = mpmath.mpf(power)
        powers = [mpmath.exp(p * mpmath.mpf(w)) for w in log_w.tolist()]
        return float(mpmath.log(mpmath.fsum(powers) / len(powers)) / p)


WIDE = torch.tensor([-1.0, 0.5, 2.0, -700.0, 3.25], **F64)
FAR = torch.tensor([-12345.5, -12344.25, -12350.0], **F64)


@pytest.mark.parametrize("log_w", [WIDE, FAR], ids=["wide", "far"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("below_one", [0.5, 1e-3, 1e-5, 1e-7, 1e-9, 1e-12, 2.0**-53])
def test_renyi_keeps_its_digits_up_to_the_elbo(log_w, dtype, below_one):
    alpha = 1 - below_one
    found = bounds.renyi(log_w.to(dtype), alpha)
    assert found.dtype == dtype
    # exactly the number that was given: 1 - alpha loses digits only in the asking
    wanted = by_mpmath(log_w, 1 - mpmath.mpf(alpha))
    eps = torch.finfo(dtype).eps
    assert abs(found.double() - wanted) < 8 * eps * log_w.abs().max()


@pytest.mark.parametrize("order", [1.0, 2.0, 50.0, 1e4])
def test_cubo_of_any_order_is_that_of_sixty_digits(order):
    for log_w in (WIDE, FAR):
        found = bounds.cubo(log_w, order)
        assert abs(found - by_mpmath(log_w, order)) < 1e-14 * log_w.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("order", [1e30, 1e39, 1e300, 1.7e308])
def test_cubo_of_a_huge_order_is_the_largest_weight(dtype, order):
    log_w = torch.tensor([[-3.0, 5.0], [2.0, 5.0]]).to(dtype)
    assert bounds.cubo(log_w, order).tolist() == [2.0, 5.0]


def test_halves_are_summed_in_single_precision_and_come_back():
    log_w = torch.tensor([-100.0, -101.0, -99.5], dtype=torch.bfloat16)
    for bound in BOUNDS:
        found = bound(log_w)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found, bound(log_w.double()).bfloat16())


NOTHING = -math.inf


@pytest.mark.parametrize(
    ("bound", "wanted"),
    [
        (bounds.elbo, NOTHING),
        (bounds.iwae, math.log(math.exp(1) / 3)),
        (renyi_half, 2 * math.log(math.exp(0.5) / 3)),
        (lambda w: bounds.renyi(w, 0.9), 10 * math.log(math.exp(0.1) / 3)),
        (bounds.cubo, math.log(math.exp(2) / 3) / 2),
        (bounds.effective_sample_size, 1.0),
    ],
)
def test_weights_of_zero_are_weights_like_others(bound, wanted):
    log_w = torch.tensor([NOTHING, 1.0, NOTHING], **F64, requires_grad=True)
    found = bound(log_w)
    assert found.item() == pytest.approx(wanted, rel=1e-14)
    (slope,) = torch.autograd.grad(found, log_w)
    assert slope.isfinite().all()
    if bound not in (bounds.elbo, bounds.effective_sample_size):
        # of one weight with mass all of the bound is its logarithm
        assert slope.tolist() == pytest.approx([0, 1, 0])


@pytest.mark.parametrize("bound", [b for b in BOUNDS if b is not BOUNDS[-1]])
def test_where_all_weights_are_zero_so_is_their_mean_and_no_gradient_is_nan(bound):
    log_w = torch.full((3, 2), NOTHING, **F64)
    log_w[:, 1] = 0.5
    log_w.requires_grad_()
    found = bound(log_w)
    assert found[0] == NOTHING
    assert abs(found[1] - 0.5) < 1e-15
    (slope,) = torch.autograd.grad(found.sum(), log_w)
    assert slope.isfinite().all()
    torch.testing.assert_close(slope[:, 1], torch.full((3,), 1 / 3, **F64))


@pytest.mark.parametrize("bad", [NOTHING, math.inf, math.nan])
def test_no_share_can_be_taken_of_weights_that_are_zero_infinite_or_none(bad):
    log_w = torch.tensor([[0.0, bad, 3.0], [1.0, bad, 2.0], [1.0, bad, 2.0]])
    said = (
        rf"^log_w must have a finite largest value for every example, got {bad}; no "
        "draw has a weight of which a share could be taken: does q put its mass where "
        r"p\(x, z\) has some\?$"
    )
    with pytest.raises(ValueError, match=said):
        bounds.effective_sample_size(log_w)


@pytest.mark.parametrize("alpha", [np.float32(0.5), Fraction(1, 2), torch.tensor(0.5)])
def test_an_order_may_be_a_number_of_any_library(alpha):
    log_w = torch.tensor([1.0, 4.0], **F64).log()
    assert abs(bounds.renyi(log_w, alpha) - 2 * math.log(1.5)) < 1e-15
    assert bounds.cubo(log_w, np.int64(2)) == bounds.cubo(log_w)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("alpha", [0.7, 0.99, 1 - 1e-6])
def test_renyi_of_halves_is_that_of_float64_rounded(dtype, alpha):
    log_w = torch.tensor([[-3.0, 0.25], [1.5, 8.0], [2.0, 8.5]]).to(dtype)
    found = bounds.renyi(log_w, alpha)
    assert found.dtype == dtype
    torch.testing.assert_close(found, bounds.renyi(log_w.double(), alpha).to(dtype))


def test_an_example_without_weights_does_not_disturb_its_neighbour():
    log_w = torch.tensor([[-1.0, NOTHING], [0.5, NOTHING], [2.0, NOTHING]], **F64)
    found = bounds.renyi(log_w, 1 - 2.0**-53)
    # at this order the neighbour's bound is the ELBO to the last digit but one
    assert abs(found[0] - 0.5) < 1e-15
    assert found[1] == NOTHING
