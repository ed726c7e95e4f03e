"""What holds for any numbers: any shape, scale and dtype, and as far out as they go."""

import itertools
import math

import numpy as np
import pytest
import torch
from examples import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.distributions import Normal

from jensengap import (
    bounds,
    discretized_normal,
    divergences,
    exact,
    gan,
    gradients,
    metrics,
    nets,
    quadrature,
)

F64 = {"dtype": torch.float64}
DTYPES = [torch.float32, torch.float64]
ALPHAS = [0.3, 0.9]
ORDERS = [2.0, 7.0]
# from below to above, for the very same weights
CHAIN = {"elbo": bounds.elbo}
CHAIN |= {f"renyi {a}": lambda w, a=a: bounds.renyi(w, a) for a in reversed(ALPHAS)}
CHAIN |= {"iwae": bounds.iwae}
CHAIN |= {f"cubo {n}": lambda w, n=n: bounds.cubo(w, n) for n in ORDERS}
dtypes = st.sampled_from(DTYPES)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def tensors(draw, limit, min_dims=1, max_dims=3, smallest=1):
    """Draw a tensor of any shape and dtype with entries up to a limit of any size."""
    shape = draw(
        arrays.array_shapes(
            min_dims=min_dims, max_dims=max_dims, min_side=smallest, max_side=6
        )
    )
    largest = limit * 10.0 ** -draw(st.integers(0, 8))
    values = draw(arrays.arrays(np.float64, shape, elements=st.floats(-1, 1)))
    return torch.tensor(values * largest).to(draw(dtypes))


def slack(*tensors, power=0.1):
    """Return what rounding may cost: some units in the last place of the largest."""
    largest = max(float(t.abs().max()) for t in tensors)
    return 16 * torch.finfo(tensors[0].dtype).eps * (largest + 2 / power)


log_weights = tensors(1e4)


@given(log_weights)
def test_all_bounds_are_ordered_between_the_smallest_weight_and_the_largest(log_w):
    values = [log_w.min(0).values, *(f(log_w) for f in CHAIN.values())]
    values.append(log_w.max(0).values)
    for below, above in itertools.pairwise(values):
        assert below.shape == log_w.shape[1:]
        assert below.dtype == log_w.dtype
        assert (below <= above + slack(log_w)).all()


@given(log_weights)
def test_no_order_of_the_samples_matters_and_no_neighbour_in_the_batch(log_w):
    for bound in (*CHAIN.values(), bounds.effective_sample_size):
        value, off = bound(log_w), slack(log_w)
        torch.testing.assert_close(bound(log_w.flip(0)), value, rtol=1e-5, atol=off)
        if log_w.dim() > 1:
            alone = bound(log_w[:, -1])
            torch.testing.assert_close(alone, value[-1], rtol=1e-5, atol=off)


@given(log_weights, st.integers(-10_000, 10_000))
def test_a_common_factor_of_the_weights_is_its_logarithm(log_w, shift):
    moved = log_w + shift
    # what rounding made of the sum is no matter of the bounds
    log_w = moved - shift
    for bound in CHAIN.values():
        gain = bound(moved) - bound(log_w) - shift
        assert gain.abs().max() <= slack(log_w, moved)


@given(log_weights, st.integers(1, 5))
def test_equal_weights_count_all_and_a_lone_one_counts_alone(log_w, factor):
    size = bounds.effective_sample_size
    k, eps = len(log_w), 1e-5
    assert (size(log_w) >= 1 - eps).all()
    assert (size(log_w) <= k * (1 + eps)).all()
    again = log_w.repeat(factor, *[1] * (log_w.dim() - 1))
    torch.testing.assert_close(size(again), factor * size(log_w), rtol=1e-4, atol=0)


@given(arrays.arrays(float, (2, 3), elements=st.floats(-6, 6)))
def test_in_expectation_every_sample_brings_a_bound_closer_to_its_limit(numbers):
    log_q, log_w = torch.from_numpy(numbers)
    log_q = log_q.log_softmax(0)
    limits = {"iwae": (log_q + log_w).logsumexp(0)}
    limits["elbo"] = (log_q.exp() * log_w).sum()
    limits |= {f"cubo {n}": (log_q + n * log_w).logsumexp(0) / n for n in ORDERS}
    limits |= {
        f"renyi {a}": (log_q + (1 - a) * log_w).logsumexp(0) / (1 - a) for a in ALPHAS
    }
    for name, bound in CHAIN.items():
        values = []
        for k in range(1, 5):
            every = torch.tensor(list(itertools.product(range(3), repeat=k))).T
            values.append((log_q[every].sum(0).exp() * bound(log_w[every])).sum())
        for few, more in itertools.pairwise([*values, limits[name]]):
            assert few <= more + 1e-12


@given(tensors(1e4, 1, 2), seeds)
def test_kl_is_never_negative_and_above_zero_where_the_two_differ(loc, seed):
    torch.manual_seed(seed)
    scale_q, scale_p = 10 ** (6 * torch.rand(2, *loc.shape, dtype=loc.dtype) - 3)
    q, p = Normal(loc, scale_q), Normal(torch.zeros_like(loc), scale_p)
    value = divergences.kl(q, p)
    assert value.dtype == loc.dtype
    assert (value >= -slack(torch.ones_like(loc))).all()
    differ = (loc.abs() > 0.01 * scale_p) | ((scale_q / scale_p).log().abs() > 0.01)
    assert (value[differ] > 1e-5).all()
    assert (divergences.kl(q, q) == 0).all()


@given(tensors(1e4, 2, 3, smallest=2))
def test_tables_are_apart_by_at_most_log_two_and_never_by_less_than_nothing(numbers):
    log_p = numbers.log_softmax(0)
    log_q = numbers.flip(0).log_softmax(0)
    flat = torch.zeros(len(numbers), dtype=numbers.dtype)
    kl = divergences.kl_quadrature(log_p, log_q, flat)
    jsd = divergences.jensen_shannon(log_p, log_q, flat)
    off = slack(torch.ones_like(flat))
    assert kl.dtype == jsd.dtype == numbers.dtype
    assert (kl >= -off).all()
    assert (jsd >= -off).all()
    assert (jsd <= math.log(2) + off).all()
    assert (jsd <= kl / 2 + off).all()  # Jensen, as -log is convex
    swapped = divergences.jensen_shannon(log_q, log_p, flat)
    torch.testing.assert_close(swapped, jsd, rtol=0, atol=off)


# An estimate may miss by chance: here the examples are always the same ones.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
@pytest.mark.parametrize("spread", [0.1, 0.5, 2.0])
def test_an_estimated_divergence_is_the_closed_one_within_its_error_bar(
    dtype, shape, spread
):
    torch.manual_seed(0)
    loc = spread * torch.randn(shape, dtype=dtype)
    q, p = Normal(loc, (0.5 * loc).exp()), Normal(-loc, torch.ones_like(loc))
    mean, stderr = divergences.kl_monte_carlo(q, p, 2000)
    assert mean.shape == stderr.shape == shape
    assert mean.dtype == stderr.dtype == dtype
    assert ((mean - divergences.kl(q, p)).abs() <= 4 * stderr).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("estimator", [gradients.pathwise, gradients.score_function])
@pytest.mark.parametrize(
    ("mu", "sigma", "a", "b"),
    [(1.3, 0.7, 1.0, 0.0), (-2.0, 0.1, 0.5, -1.5), (0.0, 3.0, -2.0, 2.0)],
)
def test_the_gradient_of_any_parabola_is_right_within_its_error_bar(
    estimator, dtype, mu, sigma, a, b
):
    def family(phi):
        return Normal(phi[..., 0], phi[..., 1])

    torch.manual_seed(0)
    phi = torch.tensor([mu, sigma], dtype=dtype)
    rows = estimator(lambda z: a * z**2 + b * z, family, phi, 4000)
    assert rows.dtype == dtype
    mean, stderr = divergences.Estimate.of(rows)
    wanted = torch.tensor([2 * a * mu + b, 2 * a * sigma], dtype=dtype)
    assert ((mean - wanted).abs() <= 4 * stderr).all()


@given(tensors(1e4, 2, 2), st.sampled_from([1e-6, 1e-3, 1.0, 1e6]))
def test_heads_give_numbers_and_no_nan_at_any_numbers(numbers, scale):
    x = (numbers > 0).to(numbers.dtype)
    coin = nets.bernoulli(numbers)
    plain = nets.gaussian(numbers, scale)
    pair = nets.gaussian_head(torch.cat([numbers, -numbers], 1))
    levels = discretized_normal.discretized_gaussian(scale)(numbers)
    for q in (coin, plain, pair, levels):
        value = q.log_prob(x)
        assert value.shape == numbers.shape[:1]
        assert value.dtype == q.mean.dtype == numbers.dtype
        assert not value.isnan().any()
        assert not q.mean.isnan().any()
    # each picks its likelier side, so no pixel costs more than a coin's toss
    assert (coin.log_prob(x) >= -numbers.shape[1] * math.log(2) * 1.001).all()
    assert (levels.log_prob(x) <= 0).all()


@given(tensors(1e4, 1, 1), tensors(1e4, 1, 1))
def test_the_games_losses_are_finite_at_any_logits_and_know_no_order(real, fake):
    fake = fake.to(real.dtype)
    for name, loss in (
        ("value", gan.value(real, fake)),
        ("classification", gan.classification_loss(real, fake)),
        ("saturating", gan.saturating_loss(fake)),
        ("non-saturating", gan.non_saturating_loss(fake)),
    ):
        assert loss.dtype == real.dtype
        assert loss.isfinite(), name
    off, value = slack(real, fake), gan.value(real, fake)
    assert value <= 0
    assert (gan.value(real.flip(0), fake.flip(0)) - value).abs() <= off
    # 1 - D(x) is D of the opposite logit: real and fake may change names
    assert (gan.value(-fake, -real) - value).abs() <= off


@given(tensors(1e4, 1, 2))
def test_the_best_discriminator_is_a_probability_and_turns_with_its_arguments(log_p):
    share = exact.optimal_discriminator(log_p, log_p.flip(0))
    assert share.dtype == log_p.dtype
    assert ((share >= 0) & (share <= 1)).all()
    other = exact.optimal_discriminator(log_p.flip(0), log_p)
    off = slack(torch.ones_like(log_p))
    torch.testing.assert_close(share + other, torch.ones_like(share), rtol=0, atol=off)


@given(st.integers(1, 4), st.integers(1, 3), st.floats(0.05, 20), seeds)
def test_bayes_rule_holds_for_any_linear_gaussian_model(dim, latent_dim, scale, seed):
    torch.manual_seed(seed)
    weight, bias = torch.randn(dim, latent_dim, **F64), torch.randn(dim, **F64)
    model = exact.LinearGaussian(weight, bias, scale)
    x, z = torch.randn(dim, **F64), torch.randn(latent_dim, **F64)
    prior = nets.gaussian(torch.zeros(latent_dim, **F64), 1.0)
    joint = model.likelihood(z).log_prob(x) + prior.log_prob(z)
    other = model.evidence().log_prob(x) + model.posterior(x).log_prob(z)
    assert abs(joint - other) < 1e-9 * (1 + abs(joint))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_averaged_keeps_its_dtype(dtype):
    torch.manual_seed(0)
    q = nets.gaussian(torch.randn(4, 2, dtype=dtype), 0.7)
    prior = nets.gaussian(torch.zeros(2, dtype=dtype), 1.0)
    rate = metrics.rate(q, prior, 3)
    nodes, log_weight = quadrature.gauss_hermite(q, 3)
    evidence = quadrature.log_evidence(prior.log_prob(nodes), log_weight)
    model = exact.probabilistic_pca(q.mean, 1)
    baseline = gradients.best_baseline(
        torch.square, lambda phi: Normal(phi[..., 0], 1.0), q.mean[0], 3
    )
    found = [rate.total, *rate.information, *rate.marginal, evidence, baseline]
    found += [metrics.log_aggregate(q, q.mean), model.weight, model.bias]
    assert {value.dtype for value in found} == {dtype}
