"""A VAE's terms are those of the decomposition, held against a model in closed form."""

import math

import pytest
import torch
from torch import nn

from jensengap import bounds, divergences, exact, nets, vae
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}
K = 4000


def noisy(numbers):
    return nets.gaussian(numbers, 0.6)


@pytest.fixture
def linear():
    """A VAE whose decoder is a linear-Gaussian model, that model, and a batch."""
    torch.manual_seed(0)
    decoder = nets.Conditional(nn.Linear(1, 3), noisy)
    encoder = nets.Conditional(nets.mlp(3, 2), nets.gaussian_head)
    model = vae.VAE(encoder, decoder, nets.StandardNormal(1)).double()
    line = decoder.net
    truth = exact.LinearGaussian(line.weight.detach(), line.bias.detach(), 0.6)
    return model, truth, torch.randn(5, 3, **F64)


def gap(truth, x, q):
    post = truth.posterior(x)
    return divergences.kl(q, nets.gaussian(post.mean, post.variance.sqrt()))


def test_both_ways_to_the_elbo_miss_the_evidence_by_the_kl_to_the_posterior(linear):
    model, truth, x = linear
    with torch.no_grad():
        wanted = truth.evidence().log_prob(x) - gap(truth, x, model.encode(x))
        mean, stderr = Estimate.of(model.log_weights(x, K))
        assert ((mean - wanted).abs() < 4 * stderr).all()
        runs = torch.stack([model.terms(x, 4).elbo for _ in range(K // 8)])
        mean, stderr = Estimate.of(runs)
        assert ((mean - wanted).abs() < 4 * stderr).all()


def test_a_log_weight_is_the_evidence_and_what_q_gets_wrong_at_z(linear):
    model, truth, x = linear
    torch.manual_seed(1)
    log_w = model.log_weights(x, 7)
    torch.manual_seed(1)
    z = model.encode(x).rsample((7,))
    wrong = truth.posterior(x).log_prob(z) - model.encode(x).log_prob(z)
    wanted = truth.evidence().log_prob(x) + wrong
    torch.testing.assert_close(log_w, wanted, rtol=0, atol=1e-11)


def test_the_first_term_is_sampled_and_the_second_is_closed(linear):
    model, truth, x = linear
    torch.manual_seed(1)
    terms = model.terms(x, 3)
    torch.manual_seed(1)
    z = model.encode(x).rsample((3,))
    sampled = truth.likelihood(z).log_prob(x).mean(0)
    torch.testing.assert_close(terms.reconstruction, sampled, rtol=0, atol=1e-12)
    q = model.encode(x)
    closed = 0.5 * (q.mean**2 + q.variance - q.variance.log() - 1).sum(-1)
    torch.testing.assert_close(terms.kl_prior, closed, rtol=0, atol=1e-12)
    torch.testing.assert_close(terms.elbo, sampled - closed, rtol=0, atol=1e-12)


def test_the_importance_bound_lies_between_elbo_and_evidence(linear):
    model, truth, x = linear
    with torch.no_grad():
        log_w = model.log_weights(x, 64 * K // 10).reshape(64, -1, 5)
        mean, stderr = Estimate.of(bounds.iwae(log_w))
    log_p = truth.evidence().log_prob(x)
    assert (mean < log_p + 4 * stderr).all()
    assert (mean > log_p - gap(truth, x, model.encode(x))).all()


def test_one_backward_pass_reaches_encoder_and_decoder(linear):
    model, _, x = linear
    (-model.terms(x).elbo.mean()).backward()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().max() > 0


def test_the_elbos_gradient_is_that_of_evidence_less_gap(linear):
    model, truth, x = linear
    weight = model.encoder.net[0].weight

    def slope(value):
        return torch.autograd.grad(value, weight, retain_graph=True)[0]

    wanted = slope(-gap(truth, x, model.encode(x)).mean())
    rows = torch.stack([slope(model.terms(x, 10).elbo.mean()) for _ in range(400)])
    mean, stderr = Estimate.of(rows)
    assert ((mean - wanted).abs() < 4 * stderr).all()
    assert (wanted.abs() > 4 * stderr).any()


def test_generation_starts_from_the_prior_and_carries_no_graph(linear):
    model, truth, _ = linear
    torch.manual_seed(1)
    generated = model.sample(K)
    torch.manual_seed(1)
    z = model.prior().sample((K,))
    wanted = truth.likelihood(z).mean
    torch.testing.assert_close(generated.mean, wanted, rtol=0, atol=1e-14)
    assert not generated.mean.requires_grad
    mean, stderr = Estimate.of(generated.sample())
    assert ((mean - truth.bias).abs() < 4 * stderr).all()
    spread = generated.sample().var(0) / truth.evidence().variance
    assert ((spread - 1).abs() < 4 * math.sqrt(2 / K)).all()


@pytest.mark.parametrize("num_samples", [0, -3])
@pytest.mark.parametrize("method", ["terms", "log_weights", "sample"])
def test_no_samples_are_refused_with_their_number(linear, method, num_samples):
    model, _, x = linear
    given = (num_samples,) if method == "sample" else (x, num_samples)
    with pytest.raises(
        ValueError, match=f"num_samples .*at least 1, got {num_samples}"
    ):
        getattr(model, method)(*given)


def test_a_bernoulli_decoder_refuses_grey_images():
    model = vae.VAE(
        nets.Conditional(nets.mlp(4, 2), nets.gaussian_head),
        nets.Conditional(nets.mlp(1, 4), nets.bernoulli),
        nets.StandardNormal(1),
    )
    with pytest.raises(ValueError, match="support"):
        model.terms(torch.full((2, 4), 0.5))
