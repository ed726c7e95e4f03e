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


def test_a_critic_scores_by_the_difference_of_means():
    real, fake = torch.tensor([1.0, 3.0], **F64), torch.tensor([5.0, -7.0, 8.0], **F64)
    assert gan.wasserstein.discriminator_loss(real, fake) == 2 - 2
    assert gan.wasserstein.discriminator_loss(real + 1, fake) == -1
    assert gan.wasserstein.generator_loss(fake) == -2
    of_real, of_fake = slope(gan.wasserstein.discriminator_loss, real, fake)
    assert of_real.tolist() == [-0.5, -0.5]
    torch.testing.assert_close(of_fake, torch.full_like(fake, 1 / 3))


def test_critics_of_slope_one_find_the_distance_of_two_points():
    # the points 0 and 3 on the line: among f(x) = a x with |a| <= 1 the best is a = -1
    real, fake = torch.tensor([0.0], **F64), torch.tensor([3.0], **F64)
    losses = [
        gan.wasserstein.discriminator_loss(a * real, a * fake) for a in (-1, 0, 0.5, 1)
    ]
    assert min(losses) == losses[0] == -3


def test_the_hinge_pulls_until_the_margin_and_no_further():
    real = torch.tensor([-2.0, 0.5, 1.5, 9.0], **F64)
    fake = torch.tensor([-3.0, -0.5, 4.0], **F64)
    wanted = (3 + 0.5) / 4 + (0.5 + 5) / 3
    assert abs(gan.hinge.discriminator_loss(real, fake) - wanted) < 1e-15
    of_real, of_fake = slope(gan.hinge.discriminator_loss, real, fake)
    assert of_real.tolist() == [-0.25, -0.25, 0, 0]
    torch.testing.assert_close(of_fake, torch.tensor([0, 1, 1], **F64) / 3)
    zero = torch.zeros(5, **F64)
    assert gan.hinge.discriminator_loss(zero, zero) == 2
    assert gan.hinge.generator_loss(fake) == gan.wasserstein.generator_loss(fake)


def quadratic(x):
    """Return (|x|² + x₁) / 2, whose gradient is x + (½, 0, …)."""
    return (x.square().flatten(1).sum(1) + x.flatten(1)[:, 0]) / 2


@pytest.mark.parametrize("shape", [(3,), (2, 2)])
def test_r1_is_the_mean_squared_slope_at_the_data(shape):
    torch.manual_seed(0)
    x = torch.randn(5, *shape, **F64)
    by_hand = x.clone().flatten(1)
    by_hand[:, 0] += 0.5
    wanted = by_hand.square().sum(1).mean()
    torch.testing.assert_close(gan.r1_penalty(quadratic, x), wanted)


def test_examples_may_be_numbers():
    x = torch.tensor([1.0, 2.0, -4.0], **F64)
    assert gan.r1_penalty(lambda x: x.square() / 2, x) == (1 + 4 + 16) / 3


def test_penalties_teach_the_discriminator_and_not_the_generator():
    weight = torch.tensor([[0.6], [-0.8]], **F64, requires_grad=True)
    real = torch.ones(4, 2, **F64)
    fake = torch.zeros(4, 2, **F64, requires_grad=True)

    def linear(x):
        return (x @ weight)[:, 0]

    (of_weight,) = torch.autograd.grad(gan.r1_penalty(linear, real), weight)
    torch.testing.assert_close(of_weight, 2 * weight)
    loss = gan.gradient_penalty(lambda x: 3 * linear(x), real, fake)
    assert abs(loss - 4) < 1e-12  # the slope is 3, and 1 is wanted
    of_weight, of_fake = torch.autograd.grad(loss, (weight, fake), allow_unused=True)
    torch.testing.assert_close(of_weight, 2 * (3 - 1) * 3 * weight)
    assert of_fake is None


def test_the_gradient_penalty_looks_everywhere_between_real_and_fake():
    # f = x² / 2 has the slope x: on segments from 0 to 1 the mean of (x - 1)² is 1/3
    torch.manual_seed(0)
    zero, one = torch.zeros(40_000, 1, **F64), torch.ones(40_000, 1, **F64)

    def half_square(x):
        return x[:, 0].square() / 2

    for real, fake in ((zero, one), (one, zero)):
        seen = gan.gradient_penalty(half_square, real, fake)
        assert abs(seen - 1 / 3) < 4 * math.sqrt(4 / 45 / 40_000)
    away = gan.gradient_penalty(half_square, one + 1, one + 1)
    assert abs(away - 1) < 1e-12


def test_each_pair_has_one_share_for_all_its_coordinates():
    # real is 0 and fake (1, 1): between them both coordinates are the same
    torch.manual_seed(0)
    seen = []

    def watch(x):
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    gan.gradient_penalty(watch, torch.zeros(6, 2, 2), torch.ones(6, 2, 2))
    (points,) = seen
    assert (points == points[:, :1, :1]).all()
    assert points[:, 0, 0].unique().numel() == 6
    # between the two, and not beyond the real one, where the slopes may be alike
    assert 0 <= points.min() < points.max() <= 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_points_between_real_and_fake_have_their_precision(dtype):
    def watch(x):
        assert x.dtype == dtype
        return x.sum(1)

    gan.gradient_penalty(
        watch, torch.zeros(3, 2, dtype=dtype), torch.ones(3, 2).to(dtype)
    )


def test_a_segment_needs_two_ends():
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(4, 2\)"):
        gan.gradient_penalty(quadratic, torch.zeros(3, 2), torch.zeros(4, 2))


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_penalties_can_be_read_where_autograd_is_switched_off(off):
    torch.manual_seed(0)
    real, fake = torch.randn(5, 2, **F64), torch.randn(5, 2, **F64)
    wanted = gan.r1_penalty(quadratic, real)
    torch.manual_seed(0)
    between = gan.gradient_penalty(quadratic, real, fake)
    with off():
        assert gan.r1_penalty(quadratic, real.clone()) == wanted
        torch.manual_seed(0)
        assert gan.gradient_penalty(quadratic, real.clone(), fake.clone()) == between


def test_a_discriminator_that_does_not_look_is_flat():
    weight = torch.tensor(3.0, requires_grad=True)
    x = torch.randn(4, 2)
    for flat in (
        lambda x: weight.expand(len(x)),
        lambda x: 0 * x.sum(1) + weight,
    ):
        assert gan.r1_penalty(flat, x) == 0
        assert gan.gradient_penalty(flat, x, x) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            lambda x: x,
            r"one number for each example, 4 in all, got torch.Size\(\[4, 2\]\)",
        ),
        (lambda x: x.sum(), "one number for each example"),
        (lambda x: x.sum(1)[:2], "one number for each example"),
        (lambda x: 1.0, "got float$"),
        (lambda x: x.detach().sum(1), "must be differentiable, got scores without"),
        (lambda x: torch.zeros(len(x)), "must be differentiable, got scores without"),
    ],
)
def test_a_discriminator_gives_one_differentiable_number_for_each_example(wrong, said):
    x = torch.randn(4, 2)
    with pytest.raises(ValueError, match=said):
        gan.r1_penalty(wrong, x)
    with pytest.raises(ValueError, match=said):
        gan.gradient_penalty(wrong, x, x)


def test_a_column_of_scores_is_one_number_for_each_example():
    x = torch.randn(4, 2, **F64)
    column = gan.r1_penalty(lambda x: quadratic(x)[:, None], x)
    assert column == gan.r1_penalty(quadratic, x)


LOSSES = [gan.value, gan.classification_loss, gan.critic_loss, gan.hinge_loss]
ALONE = [gan.saturating_loss, gan.non_saturating_loss, gan.score_loss]


@pytest.mark.parametrize("loss", LOSSES + ALONE)
def test_nothing_has_no_loss(loss):
    good, none = torch.zeros(3), torch.zeros(0)
    both = [(none,)] if loss in ALONE else [(none, good), (good, none)]
    for given_logits in both:
        with pytest.raises(ValueError, match=r"at least one example, got shape \(0,\)"):
            loss(*given_logits)


@pytest.mark.parametrize("loss", ALONE)
def test_whole_numbers_are_no_logits(loss):
    with pytest.raises(ValueError, match=r"^fake_(logits|scores) must hold"):
        loss(torch.zeros(3, dtype=torch.long))
