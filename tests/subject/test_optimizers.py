"""Any optimiser and schedule of torch does in the loop what it does without it."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from jensengap import optimizers, train


def weights(*values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def fit(optimizer, step, num_steps=1, **kind):
    return train.fit(
        lambda: range(num_steps), train.Player("loss", step, optimizer, **kind), 1
    )


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.SparseAdam])
def test_sparse_gradients_move_what_they_name(kind):
    made = [torch.nn.Embedding(5, 2, sparse=True) for _ in "ab"]
    made[1].load_state_dict(made[0].state_dict())
    rows = torch.tensor([0, 0, 3])
    fit(kind(made[0].parameters(), lr=0.1), lambda _: made[0](rows).square().sum())
    alone = kind(made[1].parameters(), lr=0.1)
    made[1](rows).square().sum().backward()
    alone.step()
    torch.testing.assert_close(made[0].weight, made[1].weight, rtol=0, atol=0)


def test_a_sparse_gradient_that_is_not_finite_moves_nothing():
    table = torch.nn.Embedding(5, 2, sparse=True)
    before = table.weight.detach().clone()
    step = lambda _: (0 * table(torch.tensor([1, 4]))).sqrt().sum()  # noqa: E731
    with pytest.raises(train.NonFiniteLoss, match="the gradient of loss became nan"):
        fit(torch.optim.SGD(table.parameters(), lr=0.1), step)
    assert torch.equal(table.weight, before)


def test_complex_parameters_and_several_dtypes_descend_together():
    kinds = torch.complex64, torch.float16, torch.bfloat16, torch.float32, torch.float64
    params = [weights(1.0, -1.0, dtype=each) for each in kinds]

    def step(_):
        return sum(p.abs().double().square().sum() for p in params)

    fit(torch.optim.SGD(params, lr=0.25), step)
    for each in params:
        assert each.tolist() == [0.5, -0.5]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.float64, torch.complex64, torch.bfloat16]
)
def test_one_bad_number_among_several_dtypes_is_found(bad, dtype):
    params = [weights(1.0, 1.0, dtype=torch.float32), weights(1.0, 1.0, dtype=dtype)]
    optimizer = torch.optim.SGD(params, lr=0.1)
    for each in params:
        each.grad = torch.ones_like(each)
    assert optimizers.largest_gradient(optimizer) == 0
    params[1].grad[1] = bad
    found = optimizers.largest_gradient(optimizer)
    assert math.isnan(found) == math.isnan(bad)
    assert not math.isfinite(found)


@pytest.mark.parametrize(
    ("dtype", "large"), [(torch.float16, 6e4), (torch.float32, 1e30), (None, 1e300)]
)
def test_large_gradients_are_finite_although_their_squares_are_not(dtype, large):
    one = weights(1.0, dtype=torch.float32)
    other = weights(1.0, dtype=dtype or torch.float64)
    one.grad, other.grad = torch.ones_like(one), torch.full_like(other, large)
    largest = optimizers.largest_gradient(torch.optim.SGD([one, other], lr=0.1))
    assert largest == pytest.approx(large, rel=1e-3)


def bowl(weight):
    """A quadratic whose least value is at (1, 2)."""
    return (weight - torch.tensor([1.0, 2.0])).mul(torch.tensor([1.0, 9.0])).square()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_does_what_it_does_alone(search):
    ours, alone = weights(0.0, 0.0), weights(0.0, 0.0)
    kind = {"lr": 0.5, "line_search_fn": search}
    history = fit(torch.optim.LBFGS([ours], **kind), lambda _: bowl(ours).sum(), 3)
    optimizer = torch.optim.LBFGS([alone], **kind)

    def closure():
        optimizer.zero_grad()
        loss = bowl(alone).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(3)]
    assert torch.equal(ours, alone)
    # recorded is the first evaluation of each step
    assert history["loss"] == pytest.approx([sum(losses) / 3])
    assert losses[0] == 1 + 4 * 81


def test_lbfgs_that_leaves_the_domain_is_put_back():
    weight = weights(1.0)
    optimizer = torch.optim.LBFGS([weight], lr=1.0)
    # downhill is past zero, and there is no logarithm
    step = lambda _: (10 * weight + weight.log()).sum()  # noqa: E731
    with pytest.raises(train.NonFiniteLoss, match="loss became nan at step 0"):
        fit(optimizer, step)
    assert weight == 1.0
    assert not optimizer.state_dict()["state"]


def test_an_interrupt_inside_a_closure_leaves_no_parameter_half_way(capsys):
    weight, calls = weights(0.0, 0.0), []

    def step(_):
        calls.append(weight.tolist())
        if len(calls) == 3:
            raise KeyboardInterrupt
        return bowl(weight).sum()

    assert fit(torch.optim.LBFGS([weight], lr=0.5), step) == {}
    assert calls[2] != [0.0, 0.0]
    assert weight.tolist() == [0.0, 0.0]
    assert "interrupted after 0 steps" in capsys.readouterr().err


class Needy(torch.optim.SGD):
    """Evaluates the loss itself, without gradients switched on for it."""

    @torch.no_grad()
    def step(self, closure):
        loss = closure()
        super().step()
        return loss


class Sharp(torch.optim.SGD):
    """Climbs first, as SAM does, and wants gradients and a closure; says so late."""

    def step(self, closure=None):
        if closure is None:
            raise RuntimeError("this optimizer requires a closure")
        (weight,) = self.param_groups[0]["params"]
        there = weight.detach().clone()
        with torch.no_grad():
            weight.add_(weight.grad, alpha=0.5)
        closure()
        with torch.no_grad():
            weight.copy_(there)
        super().step()


@pytest.mark.parametrize(("kind", "end"), [(Needy, 0.8), (Sharp, 0.6)])
def test_an_optimiser_of_ones_own_may_want_a_closure(kind, end):
    weight = weights(1.0)  # the loss is its square; Sharp takes the slope at 2
    history = fit(kind([weight], lr=0.1), lambda _: weight.square().sum())
    assert weight.item() == pytest.approx(end)
    assert history == {"loss": [1.0]}


def test_a_schedule_does_not_hide_that_a_closure_is_wanted():
    weight = weights(1.0, 1.0)
    optimizer = torch.optim.LBFGS([weight], lr=1.0)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    fit(optimizer, lambda _: bowl(weight).sum(), 2, scheduler=schedule)
    assert schedule.get_last_lr() == [0.25]


def test_a_plateau_is_found_in_the_means_of_the_epochs():
    weight, losses = weights(1.0), iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 1.5, 1.5])
    optimizer = torch.optim.SGD([weight], lr=1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    seen, step = [], schedule.step
    schedule.step = lambda loss: (seen.append(loss), step(loss))
    player = train.Player(
        "loss", lambda _: (0 * weight).sum() + next(losses), optimizer, schedule
    )
    train.fit([1, 2], player, 4)
    assert seen == [2.0, 2.0, 2.0, 1.5]
    # two epochs were no better than the first
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_each_player_has_its_own_plateau():
    players = []
    for name, losses in (("up", [1.0, 2.0]), ("down", [2.0, 1.0])):
        weight, values = weights(1.0), iter(losses)
        optimizer = torch.optim.SGD([weight], lr=1.0)
        schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        step = lambda _, w=weight, v=values: (0 * w).sum() + next(v)  # noqa: E731
        players.append(train.Player(name, step, optimizer, schedule))
    train.fit([1], players, 2)
    rates = [player.optimizer.param_groups[0]["lr"] for player in players]
    assert rates == [0.5, 1.0]


def test_a_snapshot_brings_back_parameters_moments_and_rate():
    weight = weights(1.0, 2.0)
    optimizer = torch.optim.Adam([weight], 0.1)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)

    def move():
        weight.grad = weight.detach().clone()
        optimizer.step()
        schedule.step()
        return weight.tolist()

    move()
    restore = optimizers.snapshot(optimizer, schedule)
    after = [move(), move()]
    restore()
    assert [move(), move()] == after
