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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_nearest_of_two_close_entries_far_from_the_origin_is_found(dtype):
    codebook = torch.tensor([[1000.0], [1000.01]], dtype=dtype)
    assert vq.nearest(torch.tensor([[1000.02]], dtype=dtype), codebook).item() == 1
    # also where torch would take the product of matrices: more than 25 rows
    many = (1e4 + torch.arange(60) / 8).to(dtype)[:, None]
    assert vq.nearest(many, many).tolist() == list(range(60))


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1.0, 1e20, 1e30])
def test_the_nearest_is_found_at_any_size(size):
    codebook = size * torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]])
    z_e = size * torch.tensor([[0.9, 0.1], [-0.1, 0.0], [1.0, 0.6]])
    assert vq.nearest(z_e, codebook).tolist() == [0, 1, 2]


def test_ties_are_broken_alike_in_every_company():
    codebook = torch.tensor([[1.0], [-1.0]]).repeat(40, 1)
    z_e = torch.tensor([[0.0], [1.0], [-1.0]]).repeat(20, 1)
    assert vq.nearest(z_e, codebook).tolist() == [0, 0, 1] * 20


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_nowhere_is_near_nothing(bad):
    good = torch.zeros(2, 1)
    with pytest.raises(ValueError, match=f"^z_e must be finite, got {bad}: 1 of 1"):
        vq.nearest(torch.tensor([[bad]]), good)
    with pytest.raises(
        ValueError, match=f"^codebook must be finite, got {bad}: 1 of 2"
    ):
        vq.nearest(good, torch.tensor([[0.0], [bad]]))


def test_points_of_other_dimensions_have_no_distance_to_the_codes():
    with pytest.raises(
        ValueError, match=r"^codebook must have .* with d = 2.* \(3, 4\)"
    ):
        vq.nearest(torch.zeros(5, 2), torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"^e must have the shape"):
        vq.losses(torch.zeros(5, 2), torch.zeros(5, 1))
    with pytest.raises(ValueError, match=r"^e must have the shape"):
        vq.straight_through(torch.zeros(5, 2), torch.zeros(2))


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.int64])
def test_indices_of_any_whole_kind_are_counted(kind):
    index = torch.tensor([0, 2, 2, 1]).to(kind)
    assert vq.usage(index, 3).tolist() == [0.25, 0.25, 0.5]
    with pytest.raises(ValueError, match=r"^num_codes must be a whole number"):
        vq.usage(index, 3.0)


@pytest.mark.parametrize(
    "shares", [[0.5, 0.6], [1.5, -0.5], [math.nan, 1.0], [0.0, 0.0], [0.5, 0.499]]
)
def test_what_are_no_shares_has_no_perplexity(shares):
    with pytest.raises(
        ValueError, match=r"^shares must not be negative and sum to one"
    ):
        vq.perplexity(torch.tensor(shares))


def test_shares_in_single_precision_may_be_rounded():
    torch.manual_seed(0)
    shares = torch.rand(1000).softmax(0)
    wanted = shares.double() / shares.double().sum()
    assert vq.perplexity(shares).item() == pytest.approx(
        vq.perplexity(wanted).item(), rel=1e-5
    )
