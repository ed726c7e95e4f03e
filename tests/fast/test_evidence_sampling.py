"""Fast importance sampling sums the very weights that a VAE's own methods have."""

import math

import pytest
import torch

from jensengap import nets
from jensengap.experiments import iwae_table
from jensengap.fast import evidence

NUM_IMAGES, NUM_DRAWS = 6, 50


@pytest.fixture
def model():
    torch.manual_seed(0)
    return iwae_table.network(torch.rand(9)).double()


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.rand(NUM_IMAGES, 9, dtype=torch.float64).round()


def as_drawn(noise, chunk):
    """The same draws, in the order in which pieces of images ask for them."""
    for some in noise.split(max(1, chunk // len(noise)), 1):
        yield from some.split(max(1, chunk // some.shape[1]))


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_it_sums_the_weights_of_its_draws(model, x, chunk, monkeypatch):
    noise = torch.randn(
        NUM_DRAWS, NUM_IMAGES, iwae_table.LATENT_DIM, dtype=torch.float64
    )
    given = as_drawn(noise, chunk)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: next(given))
    found = evidence.log_evidence(model, x, NUM_DRAWS, chunk=chunk)
    assert next(given, None) is None
    q = model.encode(x)
    z = q.mean + q.stddev * noise
    log_w = model.decode(z).log_prob(x) + model.prior().log_prob(z) - q.log_prob(z)
    torch.testing.assert_close(found.log_p, log_w.logsumexp(0) - math.log(NUM_DRAWS))
    size = 2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)
    torch.testing.assert_close(found.effective_sample_size, size.exp())


def test_it_agrees_with_the_models_own_estimate(model, x):
    torch.manual_seed(0)
    own = model.log_evidence(x, 20_000)
    fast = evidence.log_evidence(model, x, 20_000)
    stderr = (
        1 / own.effective_sample_size.sqrt() + 1 / fast.effective_sample_size.sqrt()
    )
    assert bool(((own.log_p - fast.log_p).abs() < 4 * stderr).all())


def test_the_model_is_left_as_it_is(model, x):
    before = {name: each.clone() for name, each in model.state_dict().items()}
    evidence.log_evidence(model, x, 10)
    for name, each in model.state_dict().items():
        assert torch.equal(each, before[name])


@pytest.mark.parametrize("bad", [(0, 10, 10), (3, 0, 10), (3, 10, 0)])
def test_nothing_at_all_is_refused(model, bad):
    images, draws, chunk = bad
    x = torch.zeros(images, 9, dtype=torch.float64)
    message = f"log_evidence needs an image.* got {images}, {draws} and {chunk}"
    if not images:
        message = r"^x must have .* got \(0, 9\)$"
    with pytest.raises(ValueError, match=message):
        evidence.log_evidence(model, x, draws, chunk=chunk)


def test_a_model_of_another_kind_is_refused(model, x):
    model.decoder.head = nets.fixed_scale(1.0)
    with pytest.raises(ValueError, match=r"wanted a VAE of nets\.gaussian_head"):
        evidence.log_evidence(model, x, 10)
