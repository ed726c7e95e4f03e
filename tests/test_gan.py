"""The game's two losses pull where the theory says, on logits however large."""

import math

import pytest
import torch
from examples import given
from hypothesis import strategies as st

from jensengap import divergences, exact, gan

F64 = {"dtype": torch.float64}
logits = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6).map(
    lambda values: torch.tensor(values, **F64)
)


def slope(loss, *at):
    at = [a.clone().requires_grad_() for a in at]
    return torch.autograd.grad(loss(*at), at)


def test_the_value_is_the_mean_log_probability_of_right_answers():
    real, fake = torch.tensor([2.0, -1.0], **F64), torch.tensor([0.5], **F64)
    right = [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1))]
    wanted = sum(math.log(p) for p in right) / 2
    wanted += math.log(1 - 1 / (1 + math.exp(-0.5)))
    assert abs(gan.value(real, fake) - wanted) < 1e-15


def test_a_discriminator_that_guesses_has_minus_two_log_two():
    assert gan.value(torch.zeros(3, **F64), torch.zeros(5, **F64)) == -2 * math.log(2)


def test_the_best_discriminator_reaches_the_jensen_shannon_divergence():
    p, q = torch.tensor([1, 2, 5]), torch.tensor([4, 3, 1])  # counts of eight
    log_p, log_q = (p / 8.0).double().log(), (q / 8.0).double().log()
    best = exact.optimal_discriminator(log_p, log_q).logit()
    reached = gan.value(best.repeat_interleave(p), best.repeat_interleave(q))
    jsd = divergences.jensen_shannon(log_p, log_q, torch.zeros(3, **F64))
    assert abs(reached - (2 * jsd - math.log(4))) < 1e-14
    for step in (-0.01, 0.01):
        other = best + step
        missed = gan.value(other.repeat_interleave(p), other.repeat_interleave(q))
        assert missed < reached


@pytest.mark.parametrize("game", [gan.minimax, gan.non_saturating])
def test_the_discriminator_descends_minus_the_value(game):
    real, fake = torch.tensor([0.3, -1.0], **F64), torch.tensor([0.8, 2.0], **F64)
    assert game.discriminator_loss(real, fake) == -gan.value(real, fake)
    of_real, of_fake = slope(game.discriminator_loss, real, fake)
    torch.testing.assert_close(of_real, -(1 - torch.sigmoid(real)) / 2)
    torch.testing.assert_close(of_fake, torch.sigmoid(fake) / 2)


def test_minimax_is_zero_sum_and_its_generator_dies_where_it_loses():
    real, fake = torch.tensor([0.3], **F64), torch.tensor([-40.0, 0.0], **F64)
    both = gan.minimax.generator_loss(fake) + gan.minimax.discriminator_loss(real, fake)
    alone = gan.minimax.discriminator_loss(real, torch.full((1,), -800.0, **F64))
    assert abs(both - alone) < 1e-15  # what is left is the real examples' part
    (of_fake,) = slope(gan.minimax.generator_loss, fake)
    torch.testing.assert_close(of_fake, -torch.sigmoid(fake) / 2, rtol=1e-12, atol=0)
    assert abs(of_fake[0]) < 1e-17


def test_the_non_saturating_generator_is_pulled_hardest_where_it_loses():
    fake = torch.tensor([-40.0, 0.0, 40.0], **F64)
    (of_fake,) = slope(gan.non_saturating.generator_loss, fake)
    wanted = -(1 - torch.sigmoid(fake)) / 3
    torch.testing.assert_close(of_fake, wanted, rtol=0, atol=1e-15)
    assert abs(of_fake[0] + 1 / 3) < 1e-15
    assert gan.non_saturating.generator_loss(fake) == gan.non_saturating_loss(fake)


@given(logits)
def test_both_generators_want_to_look_real(fake):
    for game in (gan.minimax, gan.non_saturating):
        (of_fake,) = slope(game.generator_loss, fake)
        assert (of_fake <= 0).all()


@given(logits)
def test_the_two_pulls_on_a_logit_always_sum_to_one(fake):
    first, second = (
        slope(game.generator_loss, fake)[0]
        for game in (gan.minimax, gan.non_saturating)
    )
    share = torch.full_like(fake, 1 / len(fake))
    torch.testing.assert_close(-first - second, share, rtol=0, atol=1e-12)
