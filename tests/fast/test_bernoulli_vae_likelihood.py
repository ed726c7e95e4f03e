"""The quick Bernoulli likelihood is that of torch, for small logits and for large."""

import pytest
import torch
from torch.nn.functional import softplus

from jensengap import nets
from jensengap.fast import bernoulli_vae


@pytest.mark.parametrize("top", [1.0, 30.0, 79.0, 81.0, 300.0])
def test_log_normaliser_is_the_sum_of_softplus(top):
    logits = torch.linspace(-top, top, 600).view(300, 2)
    wanted = softplus(logits.double()).sum(1)
    kept = logits.clone()
    found = bernoulli_vae.log_normaliser(logits)
    assert logits.equal(kept)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-6, atol=3e-7)


def test_no_logits_have_no_normaliser():
    with pytest.raises(ValueError, match=r"^logits must have .* got \(0, 5\)$"):
        bernoulli_vae.log_normaliser(torch.empty(0, 5))


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 600])
def test_pieces_of_any_number_are_put_together_in_order(rows):
    torch.manual_seed(0)
    logits = torch.randn(rows, 3)
    whole = softplus(logits).sum(1)
    torch.testing.assert_close(bernoulli_vae.log_normaliser(logits), whole)


@pytest.mark.parametrize("spread", [5, 100])
@pytest.mark.parametrize("grey", [False, True])
def test_log_likelihood_is_that_of_the_distribution(spread, grey):
    torch.manual_seed(0)
    logits = spread * torch.randn(4, 70, 9, dtype=torch.float64)
    x = torch.rand(70, 9, dtype=torch.float64)
    x = x if grey else x.round()
    kept = logits.clone()
    found = bernoulli_vae.log_likelihood(logits, x)
    wanted = nets.bernoulli(logits).log_prob(x.round())
    # what grey targets add to those rounded: their distance from them, times the logit
    wanted = wanted + (logits * (x - x.round())).sum(-1)
    torch.testing.assert_close(found, wanted)
    assert logits.equal(kept)
