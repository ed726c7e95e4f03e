"""The bounds lie where they must, against enumeration and a model that is known."""

import itertools
import math

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
