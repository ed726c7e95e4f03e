"""An error in mid-training loses nothing: history, step and player travel with it."""

import copy
import math
import pickle

import pytest
import torch

from jensengap import train


def falling(name="loss", broken=None, at=2, **kind):
    """Make a player of one weight; its step number ``at`` calls ``broken``."""
    weight = torch.nn.Parameter(torch.ones(()))
    calls = []

    def step(batch):
        calls.append(batch)
        value = broken() if broken and len(calls) == at + 1 else 1.0
        return 0 * weight + value

    return train.Player(name, step, torch.optim.SGD([weight], 0.1), **kind)


def boom():
    raise IndexError("target 10 is out of bounds")


def test_an_error_in_a_step_keeps_its_type_the_history_the_step_and_the_player():
    players = [falling("judge"), falling("maker", boom, at=4)]
    with pytest.raises(IndexError, match="target 10") as error:
        train.fit([1, 2, 3], players, 2)
    assert error.value.history == {"judge": [1.0, 1.0], "maker": [1.0, 1.0]}
    first, second = error.value.__notes__
    assert first == "raised in the turn of player 'maker', step 4"
    assert "whole steps before it: 4" in second


def test_a_step_that_forgets_its_return_later_keeps_the_history():
    player = falling()
    several = iter([player.step, player.step, lambda _: None])
    late = player._replace(step=lambda batch: next(several)(batch))
    with pytest.raises(ValueError, match="got NoneType") as error:
        train.fit([1, 2, 3], late, 1)
    assert error.value.history == {"loss": [1.0]}


def test_an_error_of_the_batches_keeps_the_history():
    def batches():
        yield from [1, 2]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk") as error:
        train.fit(batches, falling(), 3)
    assert error.value.history == {"loss": [1.0]}


def test_an_error_of_the_optimiser_keeps_the_history():
    player, several = falling(), iter("ab")
    step = player.optimizer.step
    player.optimizer.step = lambda: next(several) and step()
    with pytest.raises(StopIteration) as error:
        train.fit([1, 2, 3], player, 1)
    assert error.value.history == {"loss": [1.0]}
    assert "player 'loss', step 2" in error.value.__notes__[0]


def test_a_schedule_at_its_end_says_so_and_keeps_the_history():
    player = falling()
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        player.optimizer, 0.1, total_steps=5, cycle_momentum=False
    )
    with pytest.raises(ValueError, match=r"scheduler of 'loss'.*every batch") as error:
        train.fit([1, 2, 3], player._replace(scheduler=schedule), 2)
    assert error.value.history == {"loss": [1.0, 1.0]}


def test_an_error_that_has_a_history_of_its_own_is_raised_all_the_same():
    class Storied(Exception):
        @property
        def history(self):
            return "its own"

    def tell():
        raise Storied

    with pytest.raises(Storied):
        train.fit([1, 2, 3], falling(broken=tell), 1)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_non_finite_loss_can_be_pickled_with_all_it_knows(protocol):
    players = [falling("judge"), falling("maker", lambda: math.inf)]
    with pytest.raises(train.NonFiniteLoss) as raised:
        train.fit([1, 2, 3], players, 1)
    error = raised.value
    for other in (
        pickle.loads(pickle.dumps(error, protocol)),
        copy.deepcopy(error),
    ):
        assert type(other) is train.NonFiniteLoss
        assert str(other) == str(error)
        assert other.__dict__ == error.__dict__
    assert error.history == {"judge": [1.0], "maker": [1.0]}


def test_a_non_finite_loss_says_who_had_moved():
    players = [falling("judge"), falling("maker", lambda: math.nan)]
    with pytest.raises(
        train.NonFiniteLoss, match="; judge had moved in this step"
    ) as e:
        train.fit([1, 2, 3], players, 1)
    assert (e.value.name, e.value.moved) == ("maker", ("judge",))
    with pytest.raises(train.NonFiniteLoss, match=r"move a parameter\. Lower") as e:
        train.fit([1, 2, 3], falling("judge", lambda: math.nan), 1)
    assert e.value.moved == ()


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_training_works_where_gradients_are_switched_off(off):
    weight = torch.nn.Parameter(torch.ones(()))
    player = train.Player(
        "loss", lambda b: weight * b.mean(), torch.optim.SGD([weight], 0.5)
    )
    with off():
        assert train.fit(lambda: [torch.ones(3)], player, 2) == {"loss": [1.0, 0.5]}
        assert not torch.is_grad_enabled()
    assert weight == 0


def test_batches_made_by_a_generator_without_gradients_can_be_learned_from():
    @torch.no_grad()
    def batches():
        yield torch.ones(3)

    weight = torch.nn.Parameter(torch.ones(()))
    player = train.Player(
        "loss", lambda b: weight * b.mean(), torch.optim.SGD([weight], 0.5)
    )
    train.fit(batches, player, 1)
    assert weight == 0.5
