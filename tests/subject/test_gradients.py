"""Both estimators aim at the same gradient; their spread is what theory says."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Beta, Independent, Normal, Uniform

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


def uniform_up_to(phi):
    return Uniform(torch.zeros_like(phi[..., 0]), phi[..., 0])


def plane(phi):
    return Independent(Normal(phi, 1.0), 1)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gradients_are_the_same_where_autograd_is_switched_off(estimator, off):
    torch.manual_seed(0)
    wanted = estimator(square, gaussian, PHI, 7)
    torch.manual_seed(0)
    with off():
        found = estimator(square, gaussian, PHI.clone(), 7)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_truth_values_are_zeros_and_ones():
    rows = []
    for f in (lambda z: z > 1, lambda z: (z > 1).double(), lambda z: (z > 1).int()):
        torch.manual_seed(0)
        rows.append(gradients.score_function(f, gaussian, PHI, 500, baseline=0.5))
        assert rows[-1].dtype == torch.float64
    assert torch.equal(rows[0], rows[1])
    assert torch.equal(rows[0], rows[2])
    with pytest.raises(ValueError, match=r"^f must depend on phi by differentiable"):
        gradients.pathwise(lambda z: z > 1, gaussian, PHI, 5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("f", "came"),
    [
        (lambda z: z[:, None], r"\(5, 1\)"),
        (lambda z: z.mean(), r"\(\)"),
        (lambda z: z[:1], r"\(1,\)"),
        (lambda z: z.expand(2, 5), r"\(2, 5\)"),
        (lambda z: 1.0, "float"),
    ],
)
def test_f_returns_one_number_for_each_sample(estimator, f, came):
    with pytest.raises(
        ValueError,
        match=rf"shape \(5,\), got {came} for z of shape \(5,\); sum over "
        r"what belongs to one sample, or call \.squeeze\(-1\)$",
    ):
        estimator(f, gaussian, PHI, 5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_family_gives_one_distribution_for_each_row(estimator):
    said = (
        r"batch shape \(k,\), got \(5, 2\) for k = 5; take phi\[\.\.\., 0\], and wrap "
        r"vectors in Independent\(…, 1\)$"
    )
    with pytest.raises(ValueError, match=said):
        estimator(square, lambda phi: Normal(phi, 1.0), PHI, 5)
    with pytest.raises(ValueError, match=r"got \(\) for k = 5"):
        estimator(square, lambda phi: Normal(phi[0, 0], phi[0, 1]), PHI, 5)


def test_a_vector_has_a_gradient_for_each_of_its_means():
    torch.manual_seed(0)
    rows = gradients.pathwise(lambda z: z.square().sum(-1), plane, PHI, 4000)
    mean, stderr = Estimate.of(rows)
    assert ((mean - 2 * PHI).abs() < 4 * stderr).all()


def test_a_support_that_moves_with_its_parameters_has_a_path_and_no_score():
    phi = torch.tensor([2.0], **F64)
    for estimator in (gradients.score_function, gradients.best_baseline):
        with pytest.raises(
            ValueError,
            match=r"^the support of Uniform must not depend on phi.*pathwise$",
        ):
            estimator(square, uniform_up_to, phi, 10)
    torch.manual_seed(0)
    mean, stderr = Estimate.of(gradients.pathwise(square, uniform_up_to, phi, 4000))
    # E z² is phi²/3
    assert abs(mean - 4 / 3) < 4 * stderr


def test_a_wrapped_support_that_moves_is_found_as_well():
    def family(phi):
        return Independent(Uniform(torch.zeros_like(phi), phi), 1)

    with pytest.raises(ValueError, match=r"support of Independent\(Uniform, 1\) must"):
        gradients.score_function(lambda z: z.sum(-1), family, PHI, 10)


def test_a_support_with_fixed_ends_has_a_score():
    def family(phi):
        return Beta(phi[..., 0], phi[..., 1])

    phi = torch.tensor([2.0, 3.0], **F64)
    torch.manual_seed(0)
    mean, stderr = Estimate.of(
        gradients.score_function(lambda z: z, family, phi, 20_000, baseline=0.4)
    )
    # E z is a / (a + b)
    wanted = torch.tensor([3 / 25, -2 / 25], **F64)
    assert ((mean - wanted).abs() < 4 * stderr).all()


def test_a_parameter_without_influence_has_the_gradient_zero():
    def family(phi):
        return Normal(phi[..., 0], 1.0)

    torch.manual_seed(0)
    for estimator in (gradients.pathwise, gradients.score_function):
        rows = estimator(square, family, PHI, 5)
        assert (rows[:, 1] == 0).all()
        assert (rows[:, 0] != 0).all()
    assert gradients.best_baseline(square, family, PHI, 5)[1] == 0


def test_the_best_baseline_of_tiny_scores_does_not_underflow():
    def weak(phi):
        return Normal(1e-170 * phi[..., 0], 1.0)

    torch.manual_seed(0)
    z = torch.randn(200, **F64)
    torch.manual_seed(0)
    found = gradients.best_baseline(square, weak, PHI[:1], 200)
    # the score is 1e-170 z
    torch.testing.assert_close(found, (z**4).mean(0, True) / (z**2).mean())


@pytest.mark.parametrize("num_samples", [2.5, True, "3", None])
def test_a_number_of_samples_is_whole(num_samples):
    for estimator in ESTIMATORS:
        with pytest.raises(ValueError, match=r"^num_samples must be a whole number"):
            estimator(square, gaussian, PHI, num_samples)


def test_a_parameter_of_tiny_scores_has_its_baseline_beside_one_of_large():
    def family(phi):
        return Normal(1e-170 * phi[..., 0] + phi[..., 1], 1.0)

    torch.manual_seed(0)
    found = gradients.best_baseline(square, family, PHI, 200)
    # both scores are multiples of one another
    assert found[0] > 0.1
    torch.testing.assert_close(found[0], found[1])


def test_what_does_not_depend_on_phi_is_refused_by_name():
    end = (
        r" must depend on phi by differentiable steps, got values without a gradient; "
    )
    end += r"compute with torch and without \.detach\(\)$"
    with pytest.raises(ValueError, match="^log q" + end):
        gradients.score_function(square, lambda phi: gaussian(phi.detach()), PHI, 5)
    with pytest.raises(ValueError, match="^f" + end):
        gradients.pathwise(lambda z: z.detach(), gaussian, PHI, 5)


def test_an_f_that_does_not_look_at_z_has_the_gradient_zero():
    weight = torch.tensor(3.0, **F64, requires_grad=True)
    rows = gradients.pathwise(lambda z: weight.expand(len(z)), gaussian, PHI, 5)
    assert torch.equal(rows, torch.zeros(5, 2, **F64))
