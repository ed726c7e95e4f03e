"""A VAE's terms are those of the decomposition, held against a model in closed form."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from jensengap import bernoulli_pixels, bounds, divergences, exact, nets, vae
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


def test_one_draw_is_enough_and_what_the_terms_take_by_themselves(linear):
    model, _, x = linear
    seen = []
    for given in ((), (1,)):
        torch.manual_seed(2)
        seen.append(model.terms(x, *given))
    assert torch.equal(seen[0].elbo, seen[1].elbo)
    assert model.log_weights(x, 1).shape == (1, 5)
    assert model.sample(1).batch_shape == (1,)


@pytest.mark.parametrize("num_samples", [0, -3])
@pytest.mark.parametrize("method", ["terms", "log_weights", "sample"])
def test_no_samples_are_refused_with_their_number(linear, method, num_samples):
    model, _, x = linear
    given = (num_samples,) if method == "sample" else (x, num_samples)
    with pytest.raises(
        ValueError,
        match=f"^num_samples must be at least 1, got {num_samples}; "
        "the bound needs a z to be evaluated at$",
    ):
        getattr(model, method)(*given)


def test_a_bernoulli_decoder_refuses_grey_images():
    model = vae.VAE(
        nets.Conditional(nets.mlp(4, 2), nets.gaussian_head),
        nets.Conditional(nets.mlp(1, 4), nets.bernoulli),
        nets.StandardNormal(1),
    )
    with pytest.raises(
        ValueError, match=r"^value must be 0 or 1, got 0\.5 and in all 8 such of 8"
    ):
        model.terms(torch.full((2, 4), 0.5))


def test_evidence_in_pieces_is_the_importance_weighted_bound(linear):
    model, truth, x = linear
    with torch.no_grad():
        # wider than any posterior, or the weights may have no variance
        model.encoder.net[-1].weight[1] = 0
        model.encoder.net[-1].bias[1] = 1
    torch.manual_seed(3)
    found = model.log_evidence(x, K, chunk=700)
    wanted = truth.evidence().log_prob(x)
    # the delta method: log of a mean of weights whose relative variance is k/ess - 1
    stderr = ((K / found.effective_sample_size - 1) / K).sqrt()
    assert ((found.log_p - wanted).abs() < 4 * stderr).all()
    assert (stderr < 0.2).all()
    assert not found.log_p.requires_grad
    assert found.log_p.dtype == found.effective_sample_size.dtype == torch.float64


def test_one_image_has_its_evidence_and_keeps_its_dtype(linear):
    model, _, x = linear
    found = model.float().log_evidence(x[:1].float(), 50)
    for value in found:
        assert value.shape == (1,)
        assert value.dtype == torch.float32


@pytest.mark.parametrize(("num_samples", "chunk"), [(7, 1), (7, 3), (7, 100), (1, 2)])
def test_pieces_of_any_size_sum_the_same_weights(
    linear, monkeypatch, num_samples, chunk
):
    model, _, x = linear
    log_w = 1e3 * torch.randn(num_samples, len(x), **F64)
    seen, places = [], {tuple(row.tolist()): i for i, row in enumerate(x)}
    drawn = [0] * len(x)

    def of_table(part, num):
        seen.append(len(part) * num)
        rows = [places[tuple(row.tolist())] for row in part]
        first = drawn[rows[0]]
        for row in rows:
            drawn[row] += num
        return log_w[first : first + num, rows]

    monkeypatch.setattr(model, "log_weights", of_table)
    found = model.log_evidence(x, num_samples, chunk=chunk)
    torch.testing.assert_close(found.log_p, bounds.iwae(log_w))
    wanted = bounds.effective_sample_size(log_w)
    torch.testing.assert_close(found.effective_sample_size, wanted)
    assert max(seen) <= chunk
    assert drawn == [num_samples] * len(x)


def test_evidence_needs_an_example_a_sample_and_a_chunk(linear):
    model, _, x = linear
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        model.log_evidence(x, 0)
    with pytest.raises(ValueError, match="got 5 examples and chunk=0"):
        model.log_evidence(x, 3, chunk=0)
    with pytest.raises(ValueError, match=r"^x must have .* got \(0, 3\)$"):
        model.log_evidence(x[:0], 3)


def pictures():
    """A VAE of images with axes of their own: (1, 2, 2)."""
    torch.manual_seed(0)

    def head(logits):
        pixels = bernoulli_pixels.Bernoulli(logits=logits.unflatten(-1, (1, 2, 2)))
        return Independent(pixels, 3)

    flat = nn.Sequential(nn.Flatten(), nets.mlp(4, 4))
    return vae.VAE(
        nets.Conditional(flat, nets.gaussian_head),
        nets.Conditional(nets.mlp(2, 4), head),
        nets.StandardNormal(2),
    )


def test_images_may_keep_their_axes():
    model, x = pictures(), torch.rand(5, 1, 2, 2).round()
    plain = vae.VAE(
        nets.Conditional(model.encoder.net[1], nets.gaussian_head),
        nets.Conditional(model.decoder.net, nets.bernoulli),
        model.prior,
    )
    seen = []
    for one, images in ((model, x), (plain, x.flatten(1))):
        torch.manual_seed(1)
        seen.append(one.log_weights(images, 3))
    torch.testing.assert_close(*seen)
    assert model.log_evidence(x, 3).log_p.shape == (5,)
    with pytest.raises(
        ValueError, match=r"event shape \(2, 2\), got Independent\(Bern"
    ):
        model.terms(x[:, 0])


def test_an_encoder_without_a_path_is_refused_by_name(linear):
    model, _, x = linear
    model.encoder.head = lambda n: Independent(Bernoulli(logits=n[:, :1]), 1)
    with pytest.raises(
        ValueError, match=r"reparameterised, got Independent\(Bernoulli"
    ):
        model.terms(x)


def test_a_prior_of_other_dimensions_is_refused(linear):
    model, _, x = linear
    model.prior = nets.StandardNormal(2).double()
    with pytest.raises(ValueError, match=r"^event shapes differ, \(1,\) and \(2,\)"):
        model.log_weights(x, 3)


def test_a_likelihood_of_pixels_one_by_one_is_refused(linear):
    model, _, x = linear
    model.decoder.head = lambda numbers: Normal(numbers, 1.0)
    for method in (model.terms, model.log_weights, model.log_evidence):
        with pytest.raises(
            ValueError, match=r"distributions of one example.*\(3,\), got"
        ):
            method(x, 2)


def test_an_encoder_with_correlations_has_its_elbo_in_closed_form(linear):
    _, truth, x = linear
    full = truth._replace(weight=torch.randn(3, 2, **F64))

    model = vae.VAE(
        nets.Conditional(nn.Identity(), full.posterior),
        nets.Conditional(nn.Identity(), full.likelihood),
        nets.StandardNormal(2).double(),
    )
    log_p = full.evidence().log_prob(x)
    # of the exact posterior every weight is the evidence
    torch.testing.assert_close(model.log_weights(x, 5), log_p.expand(5, 5))
    torch.testing.assert_close(model.log_evidence(x, 5).log_p, log_p)
    kl = model.terms(x, 2).kl_prior
    torch.testing.assert_close(kl, divergences.kl(full.posterior(x), model.prior()))
