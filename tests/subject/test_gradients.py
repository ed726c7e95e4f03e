"""Both estimators aim at the same gradient; their spread is what theory says."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from jensengap import gradients
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}
MU, SIGMA = 1.3, 0.7
PHI = torch.tensor([MU, SIGMA], **F64)
ESTIMATORS = [gradients.pathwise, gradients.score_function, gradients.best_baseline]


def gaussian(phi):
    return Normal(phi[..., 0], phi[..., 1])


def square(z):
    return z**2


def replay(k):
    """Draw the samples that an estimator draws after the same seed."""
    torch.manual_seed(0)
    z = gaussian(PHI.expand(k, 2)).sample()
    return z, (z - MU) / SIGMA


def is_variance(samples, wanted):
    """Hold a sample variance against the truth, by its own standard error."""
    centred = (samples - samples.mean()).square()
    return abs(samples.var() - wanted) < 4 * centred.std() / math.sqrt(len(samples))


def test_a_pathwise_row_is_the_slope_along_its_own_path():
    z, eps = replay(50)
    torch.manual_seed(0)
    rows = gradients.pathwise(square, gaussian, PHI, 50)
    wanted = torch.stack([2 * z, 2 * z * eps], 1)
    torch.testing.assert_close(rows, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("baseline", [0.0, 1.7, torch.tensor([0.5, -2.0], **F64)])
def test_a_score_function_row_is_the_score_times_what_is_above_the_baseline(baseline):
    z, eps = replay(50)
    torch.manual_seed(0)
    rows = gradients.score_function(square, gaussian, PHI, 50, baseline)
    score = torch.stack([eps / SIGMA, (eps**2 - 1) / SIGMA], 1)
    wanted = (square(z)[:, None] - baseline) * score
    torch.testing.assert_close(rows, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("baseline", [None, 0.0, 3.0])
def test_the_mean_gradient_is_exact_for_either_estimator_and_any_baseline(baseline):
    torch.manual_seed(1)
    k = 20_000
    if baseline is None:
        rows = gradients.pathwise(square, gaussian, PHI, k)
    else:
        rows = gradients.score_function(square, gaussian, PHI, k, baseline)
    mean, stderr = Estimate.of(rows)
    exact = torch.tensor([2 * MU, 2 * SIGMA], **F64)  # E z^2 is mu^2 + sigma^2
    assert ((mean - exact).abs() < 4 * stderr).all()
    assert (stderr < 0.1).all()


def test_the_variances_in_mu_are_those_derived_in_the_chapter():
    torch.manual_seed(2)
    k = 40_000
    path = gradients.pathwise(square, gaussian, PHI, k)[:, 0]
    score = gradients.score_function(square, gaussian, PHI, k)[:, 0]
    best = gradients.score_function(square, gaussian, PHI, k, MU**2 + 3 * SIGMA**2)[
        :, 0
    ]
    assert is_variance(path, 4 * SIGMA**2)
    assert is_variance(score, MU**4 / SIGMA**2 + 14 * MU**2 + 15 * SIGMA**2)
    assert is_variance(best, 8 * MU**2 + 6 * SIGMA**2)


def test_the_best_baseline_weighs_by_the_squared_score():
    z, eps = replay(200)
    torch.manual_seed(0)
    baseline = gradients.best_baseline(square, gaussian, PHI, 200)
    score = torch.stack([eps / SIGMA, (eps**2 - 1) / SIGMA], 1)
    wanted = (square(z)[:, None] * score**2).sum(0) / (score**2).sum(0)
    torch.testing.assert_close(baseline, wanted, rtol=0, atol=1e-12)


def test_the_best_baseline_is_mu_squared_plus_three_sigma_squared():
    torch.manual_seed(3)
    draws = torch.stack(
        [gradients.best_baseline(square, gaussian, PHI, 4000)[0] for _ in range(60)]
    )
    mean, stderr = Estimate.of(draws)
    assert abs(mean - (MU**2 + 3 * SIGMA**2)) < 4 * stderr
    assert stderr < 0.02


def test_where_f_is_wild_the_score_function_wins():
    def wild(z):
        return torch.sin(20 * z)

    torch.manual_seed(4)
    standard = torch.tensor([0.0, 1.0], **F64)
    path = gradients.pathwise(wild, gaussian, standard, 4000)[:, 0]
    score = gradients.score_function(wild, gaussian, standard, 4000)[:, 0]
    assert path.var() > 50 * score.var()


def test_a_discrete_choice_has_a_score_and_no_path():
    def coin(phi):
        return Bernoulli(probs=phi[..., 0])

    def reward(z):
        return 5 * z - 1

    phi = torch.tensor([0.3], **F64)
    torch.manual_seed(5)
    mean, stderr = Estimate.of(gradients.score_function(reward, coin, phi, 4000))
    assert abs(mean - 5) < 4 * stderr  # f(1) - f(0)
    with pytest.raises(
        ValueError,
        match=r"^Bernoulli has no rsample: its samples do not move smoothly with the "
        "parameters; use score_function instead$",
    ):
        gradients.pathwise(reward, coin, phi, 10)


def test_the_score_function_asks_for_no_derivative_of_f():
    def step(z):
        return (z > 1).double()

    torch.manual_seed(6)
    rows = gradients.score_function(step, gaussian, PHI, 20_000)
    mean, stderr = Estimate.of(rows[:, 0])
    density = gaussian(PHI).log_prob(torch.tensor(1.0, **F64)).exp()
    assert abs(mean - density) < 4 * stderr  # d/dmu P(z > 1) is q(1)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_parameters_are_left_as_they_were(estimator):
    phi = PHI.clone().requires_grad_()
    estimator(square, gaussian, phi, 5)
    assert torch.equal(phi.detach(), PHI)
    assert phi.grad is None


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_sample_is_enough(estimator):
    torch.manual_seed(7)
    row = estimator(square, gaussian, PHI, 1)
    assert row.isfinite().all()
    assert row.reshape(-1, 2).shape == (1, 2)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("num_samples", [0, -2])
def test_no_samples_are_refused_with_their_number(estimator, num_samples):
    with pytest.raises(
        ValueError, match=f"num_samples .*at least 1, got {num_samples}"
    ):
        estimator(square, gaussian, PHI, num_samples)
