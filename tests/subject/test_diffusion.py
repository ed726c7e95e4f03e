"""The kernels obey Bayes, the bound telescopes, a solved case has the right value."""

import math

import pytest
import torch
from torch.distributions import Normal

from jensengap import diffusion, divergences, nets

F64 = {"dtype": torch.float64}
BETAS = torch.tensor([0.1, 0.2, 0.4, 0.6], **F64)
NOISE = diffusion.schedule(BETAS)


def points(*shape):
    torch.manual_seed(0)
    return torch.randn(*shape, 2, **F64)


def step(x, t):
    """Return q(x_t | x_{t-1} = x)."""
    beta = NOISE.beta[t]
    return nets.gaussian((1 - beta).sqrt() * x, float(beta.sqrt()))


def test_a_schedule_keeps_the_product_of_what_each_step_keeps():
    assert NOISE.num_steps == 4
    assert NOISE.beta.tolist() == [0.0, *BETAS.tolist()]
    wanted = [1, 0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.6, 0.9 * 0.8 * 0.6 * 0.4]
    torch.testing.assert_close(NOISE.alpha_bar, torch.tensor(wanted, **F64))


def test_single_precision_variances_make_a_double_precision_schedule():
    noise = diffusion.schedule(torch.tensor([0.5, 0.25]))
    assert noise.beta.dtype == noise.alpha_bar.dtype == torch.float64
    assert noise.alpha_bar.tolist() == [1, 0.5, 0.375]


def test_the_cosine_schedule_keeps_a_squared_cosine():
    noise = diffusion.cosine_schedule(10, offset=0.1)
    time = torch.arange(10, **F64) / 10
    kept = torch.cos(math.pi / 2 * (time + 0.1) / 1.1) ** 2
    torch.testing.assert_close(noise.alpha_bar[:10], kept / kept[0])
    assert noise.beta[-1] == 0.999


def test_the_cosine_schedule_cuts_its_largest_steps():
    cut = diffusion.cosine_schedule(10, max_beta=0.3)
    free = diffusion.cosine_schedule(10)
    assert (cut.beta <= 0.3).all()
    assert (cut.beta == 0.3).any()
    small = free.beta < 0.3
    torch.testing.assert_close(cut.beta[small], free.beta[small])


@pytest.mark.parametrize("t", [1, 2, 4])
def test_one_leap_is_as_many_steps(t):
    x_0 = points(3)
    scale, variance = 1.0, 0.0
    for s in range(1, t + 1):
        keep = 1 - float(NOISE.beta[s])
        scale, variance = scale * keep**0.5, keep * variance + 1 - keep
    leap = diffusion.diffuse(NOISE, x_0, torch.tensor(t))
    torch.testing.assert_close(leap.mean, scale * x_0)
    torch.testing.assert_close(leap.variance, torch.full_like(x_0, variance))


@pytest.mark.parametrize("t", [2, 3, 4])
def test_the_step_back_is_bayes_rule(t):
    x_0, before, after = points(3, 7)
    last, now = torch.tensor(t - 1), torch.tensor(t)
    joint = step(before, t).log_prob(after)
    joint = joint + diffusion.diffuse(NOISE, x_0, last).log_prob(before)
    wanted = joint - diffusion.diffuse(NOISE, x_0, now).log_prob(after)
    back = diffusion.posterior(NOISE, after, x_0, now).log_prob(before)
    torch.testing.assert_close(back, wanted)


def test_each_point_may_have_its_own_step():
    x_0, t = points(3), torch.tensor([1, 4, 2])
    together = diffusion.diffuse(NOISE, x_0, t)
    for i in range(3):
        alone = diffusion.diffuse(NOISE, x_0[i], t[i])
        assert torch.equal(together.mean[i], alone.mean)
        assert torch.equal(together.stddev[i], alone.stddev)


def test_the_models_step_has_the_posteriors_mean_where_the_noise_is_known():
    x_0, eps, t = points(5), torch.ones(5, 2, **F64), torch.tensor(3)
    kept = NOISE.alpha_bar[3]
    x_t = kept.sqrt() * x_0 + (1 - kept).sqrt() * eps
    model = diffusion.reverse(NOISE, x_t, eps, t)
    truth = diffusion.posterior(NOISE, x_t, x_0, t)
    torch.testing.assert_close(model.mean, truth.mean)
    torch.testing.assert_close(model.variance, torch.full_like(x_0, 0.4))


def test_the_last_step_back_reaches_the_data_where_the_noise_is_known():
    x_0, eps, t = points(5), torch.full((5, 2), -0.7, **F64), torch.tensor(1)
    kept = NOISE.alpha_bar[1]
    x_1 = kept.sqrt() * x_0 + (1 - kept).sqrt() * eps
    torch.testing.assert_close(diffusion.reverse(NOISE, x_1, eps, t).mean, x_0)


def test_an_error_in_the_noise_costs_its_weight_in_nats():
    torch.manual_seed(0)
    x_0 = points(4)
    seen = {}

    def remember(x_t, t):
        kept = NOISE.alpha_bar[t][..., None]
        seen["eps"] = (x_t - kept.sqrt() * x_0) / (1 - kept).sqrt()
        return seen["eps"]

    torch.manual_seed(1)
    best = diffusion.terms(NOISE, x_0, remember)
    torch.manual_seed(1)
    worse = diffusion.terms(NOISE, x_0, lambda x, t: remember(x, t) + 0.3)
    lost = torch.cat([(worse.data - best.data)[None], worse.steps - best.steps])
    weights = NOISE.noise_weights[1:, None].expand(4, 4)
    torch.testing.assert_close(lost, weights * 2 * 0.3**2)
    assert NOISE.noise_weights[0] == 0


def test_terms_have_their_shapes_and_their_signs():
    x_0 = points(6)
    torch.manual_seed(0)
    terms = diffusion.terms(NOISE, x_0, lambda x, t: torch.zeros_like(x))
    assert terms.prior.shape == terms.data.shape == (6,)
    assert terms.steps.shape == (3, 6)
    assert (terms.prior > 0).all()
    assert (terms.steps > 0).all()
    torch.testing.assert_close(
        terms.elbo, -(terms.prior + terms.steps.sum(0) + terms.data)
    )


def test_the_bound_is_tight_for_data_that_are_noise_already():
    # q(x_{t-1} | x_t) is then N(sqrt(α) x_t, β), and the best prediction sqrt(1-ᾱ) x_t
    torch.manual_seed(0)
    x_0 = torch.randn(20_000, 1, **F64)

    def predict(x, t):
        return (1 - NOISE.alpha_bar[t]).sqrt()[..., None] * x

    elbo = diffusion.terms(NOISE, x_0, predict).elbo
    log_p = Normal(torch.zeros((), **F64), 1.0).log_prob(x_0[:, 0])
    missing = divergences.Estimate.of(log_p - elbo)
    assert missing.mean.abs() < 4 * missing.stderr
    assert missing.stderr < 0.02


def test_one_step_alone_is_an_ordinary_variational_autoencoder():
    noise = diffusion.schedule(torch.tensor([0.5]))
    terms = diffusion.terms(noise, points(3), lambda x, t: torch.zeros_like(x))
    assert terms.steps.shape == (0, 3)
    torch.testing.assert_close(terms.elbo, -terms.prior - terms.data)


def test_terms_carry_gradients_to_the_predictor_alone():
    scale = torch.tensor(0.5, **F64, requires_grad=True)
    terms = diffusion.terms(NOISE, points(3), lambda x, t: scale * x)
    assert not terms.prior.requires_grad
    assert terms.steps.requires_grad
    assert terms.data.requires_grad


def test_float32_data_stay_float32():
    terms = diffusion.terms(NOISE, points(3).float(), lambda x, t: x)
    assert terms.elbo.dtype == torch.float32


@pytest.mark.parametrize(
    ("betas", "said"),
    [
        ([], r"^betas must have the shape \(t\), .* got \(0,\)$"),
        ([0.0], "variances between 0 and 1, got 0 to 0;"),
        ([0.5, 1.0], "variances between 0 and 1, got 0.5 to 1;"),
        ([-0.1], "variances between 0 and 1, got -0.1 to -0.1;"),
        ([math.nan], "variances between 0 and 1, got nan to nan;"),
    ],
)
def test_a_schedule_without_sense_is_refused(betas, said):
    with pytest.raises(ValueError, match=said):
        diffusion.schedule(torch.tensor(betas, **F64))


@pytest.mark.parametrize(
    "change",
    [{"num_steps": 0}, {"offset": 0.0}, {"max_beta": 0.0}, {"max_beta": 1.0}],
)
def test_a_cosine_schedule_without_sense_is_refused(change):
    with pytest.raises(ValueError, match="a cosine schedule needs"):
        diffusion.cosine_schedule(**{"num_steps": 3} | change)


def test_steps_out_of_range_are_refused():
    x = points(2)
    with pytest.raises(ValueError, match="between 1 and 4, got 0 to 0"):
        diffusion.diffuse(NOISE, x, torch.tensor(0))
    with pytest.raises(ValueError, match="between 1 and 4, got 1 to 5"):
        diffusion.reverse(NOISE, x, x, torch.tensor([1, 5]))
    with pytest.raises(ValueError, match="between 2 and 4, got 1 to 1"):
        diffusion.posterior(NOISE, x, x, torch.tensor(1))
