"""The nearest entry is the nearest; gradients go where they are sent alone."""

import math

import pytest
import torch

from jensengap import vq

F64 = {"dtype": torch.float64}


def table(*shape):
    torch.manual_seed(0)
    return torch.randn(*shape, **F64)


def test_the_nearest_entry_has_the_smallest_distance():
    codebook, z_e = table(7, 3), table(5, 4, 3) * 2
    distance = (z_e[..., None, :] - codebook).square().sum(-1)
    assert torch.equal(vq.nearest(z_e, codebook), distance.argmin(-1))


def test_of_two_equally_near_entries_the_first_is_taken():
    codebook = torch.tensor([[1.0], [-1.0], [1.0]], **F64)
    assert vq.nearest(torch.zeros(1, 1, **F64), codebook).item() == 0
    assert vq.nearest(torch.ones(1, 1, **F64), codebook).item() == 0


def test_an_empty_codebook_is_refused():
    with pytest.raises(ValueError, match=r"^codebook must have .* got \(0, 3\)$"):
        vq.nearest(table(2, 3), torch.zeros(0, 3, **F64))


def test_straight_through_has_the_codes_value_to_the_last_bit():
    z_e, e = table(50, 3).float() * 1e3, table(50, 3).float() / 3
    assert torch.equal(vq.straight_through(z_e, e), e)


def test_straight_through_hands_the_gradient_to_the_output_and_none_to_the_code():
    z_e, e = table(2, 4, 3).requires_grad_(), (table(2, 4, 3) + 1).requires_grad_()
    z = vq.straight_through(z_e[0], e[0])
    (z**2).sum().backward()
    torch.testing.assert_close(z_e.grad[0], 2 * e[0].detach())
    assert e.grad is None


def test_the_losses_are_one_distance_and_move_one_side_each():
    z_e, e = table(5, 3).requires_grad_(), (table(5, 3) + 1).requires_grad_()
    codebook, commitment = vq.losses(z_e, e)
    wanted = (z_e - e).detach().square().sum(-1)
    torch.testing.assert_close(codebook.detach(), wanted)
    torch.testing.assert_close(commitment.detach(), wanted)
    of_z, of_e = torch.autograd.grad(codebook.sum(), [z_e, e], allow_unused=True)
    assert of_z is None
    torch.testing.assert_close(of_e, 2 * (e - z_e).detach())
    of_z, of_e = torch.autograd.grad(commitment.sum(), [z_e, e], allow_unused=True)
    torch.testing.assert_close(of_z, 2 * (z_e - e).detach())
    assert of_e is None


def test_usage_counts_for_each_position():
    index = torch.tensor([[0, 2], [0, 1], [1, 2], [0, 2]])
    shares = torch.tensor([[0.75, 0.25, 0.0], [0.0, 0.25, 0.75]], **F64)
    assert torch.equal(vq.usage(index, 3), shares)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ([], r"^index must have .* got \(0,\)$"),
        ([3], "numbers from 0 to 2, got 3 to 3"),
        ([0, -1], "numbers from 0 to 2, got -1 to 0"),
    ],
)
def test_usage_refuses_what_is_not_in_the_codebook(index, said):
    with pytest.raises(ValueError, match=said):
        vq.usage(torch.tensor(index, dtype=torch.long), 3)


def test_perplexity_counts_the_entries_in_use():
    shares = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4], **F64)
    counts = torch.tensor([1.0, 2.0, 4.0], **F64)
    torch.testing.assert_close(vq.perplexity(shares), counts)


def test_the_divergence_from_a_uniform_prior_is_log_k_less_the_entropy():
    shares = table(6).softmax(0)
    divergence = (shares * (shares * 6).log()).sum()
    torch.testing.assert_close(divergence, math.log(6) - vq.perplexity(shares).log())
