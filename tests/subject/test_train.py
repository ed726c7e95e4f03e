"""The loop takes every step once, reports its means, and stops before damage."""

import math

import pytest
import torch

from jensengap import train


class Ball:
    """One parameter that rolls towards the batch; records what it was called with."""

    def __init__(self, name="loss", at=4.0, rate=0.1, term=None):
        self.at = torch.nn.Parameter(torch.tensor(at, dtype=torch.float64))
        self.optimizer = torch.optim.SGD([self.at], lr=rate)
        self.batches, self.term = [], term
        self.player = train.Player(name, self.step, self.optimizer)

    def step(self, batch):
        self.batches.append(batch)
        terms = {} if self.term is None else self.term(self, batch)
        return (self.at - batch).square(), terms


def on_step(number, value):
    """Make a term that takes a value on one step, and is zero before."""

    def term(ball, _):
        late = len(ball.batches) > number
        return {"extra": torch.tensor(value if late else 0.0)}

    return term


def three():
    return iter([1.0, 2.0, 3.0])


def test_every_step_is_gradient_descent_on_its_batch():
    ball, at = Ball(), 4.0
    train.fit(three, ball.player, 2)
    assert ball.batches == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    for batch in ball.batches:
        at -= 0.1 * 2 * (at - batch)
    assert abs(float(ball.at.detach()) - at) < 1e-14


def test_the_history_is_the_mean_of_each_term_over_each_epoch():
    ball = Ball(rate=0.0, term=lambda ball, batch: {"batch": torch.tensor(batch)})
    history = train.fit(three, ball.player, 2)
    assert history == {"loss": [14 / 3, 14 / 3], "batch": [2.0, 2.0]}


def test_players_take_turns_and_see_what_the_others_did():
    first, second = Ball("first"), Ball("second")
    seen = []

    def follow(batch):
        seen.append(float(first.at.detach()))
        return (second.at - first.at.detach()).square(), {}

    players = [first.player, train.Player("second", follow, second.optimizer)]
    history = train.fit(lambda: [1.0, 1.0], players, 1)
    assert set(history) == {"first", "second"}
    assert seen == pytest.approx([4 - 0.1 * 6, 3.4 - 0.1 * 4.8], abs=1e-14)


def test_a_gradient_that_leaks_into_another_player_moves_nobody():
    one, other = Ball("one"), Ball("other", at=2.0)

    def leaky(batch):
        return (one.at * other.at).square(), {}

    players = [train.Player("one", leaky, one.optimizer), other.player]
    train.fit(lambda: [2.0], players, 1)
    assert float(other.at.detach()) == 2.0  # at its own minimum it stays
    assert abs(float(one.at.detach()) - (4 - 0.1 * 2 * 4 * 4)) < 1e-14


def test_a_scheduler_moves_once_a_batch():
    ball = Ball(rate=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(ball.optimizer, 1, gamma=0.5)
    train.fit(three, ball.player._replace(scheduler=scheduler), 2)
    assert scheduler.get_last_lr() == [2.0**-6]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_term_that_is_not_finite_stops_before_the_update(value):
    ball = Ball(term=on_step(4, value))
    states = []

    def watched(batch):
        states.append(float(ball.at.detach()))
        return ball.step(batch)

    with pytest.raises(train.NonFiniteLoss, match=f"extra became {value} at step 4"):
        train.fit(three, train.Player("loss", watched, ball.optimizer), 5)
    assert float(ball.at.detach()) == states[4] != states[3]


def test_a_non_finite_loss_keeps_name_step_and_the_history_so_far():
    ball = Ball(rate=0.0, term=on_step(4, math.nan))
    with pytest.raises(train.NonFiniteLoss, match="Lower the learning rate") as error:
        train.fit(three, ball.player, 5)
    assert (error.value.name, error.value.step) == ("extra", 4)
    # one whole epoch, and the one batch of the second that was finished
    assert error.value.history == {"loss": [14 / 3, 9.0], "extra": [0.0, 0.0]}
    assert isinstance(error.value, FloatingPointError)


def test_the_term_to_blame_is_named_rather_than_the_sum():
    ball = Ball()

    def step(batch):
        broken = ball.at * math.nan
        return broken + 1, {"fine": torch.tensor(1.0), "broken": broken}

    with pytest.raises(train.NonFiniteLoss, match=r"^broken became nan at step 0"):
        train.fit(three, train.Player("loss", step, ball.optimizer), 1)


def test_a_loss_alone_is_named_by_its_player():
    ball = Ball("judge", at=math.inf)
    with pytest.raises(train.NonFiniteLoss, match=r"^judge became inf at step 0"):
        train.fit(three, ball.player, 1)


def test_a_finite_loss_of_infinite_slope_does_not_poison_the_parameters():
    ball = Ball(at=1.0)

    def root(batch):
        return (ball.at - batch).square().sqrt(), {}

    wanted = "the gradient of loss became nan at step 0"
    with pytest.raises(train.NonFiniteLoss, match=wanted):
        train.fit(three, train.Player("loss", root, ball.optimizer), 1)
    assert ball.at == 1.0


def test_an_interrupt_returns_what_was_learned_so_far(capsys):
    def interrupt(ball, _):
        if len(ball.batches) == 5:
            raise KeyboardInterrupt
        return {}

    ball = Ball(rate=0.0, term=interrupt)
    assert train.fit(three, ball.player, 9) == {"loss": [14 / 3, 9.0]}
    assert "interrupted after 4 steps" in capsys.readouterr().err


def test_an_interrupt_before_the_first_step_returns_an_empty_history():
    def batches():
        raise KeyboardInterrupt

    assert train.fit(batches, Ball().player, 3) == {}


@pytest.mark.parametrize("num_epochs", [0, -1])
def test_no_epochs_are_refused_with_their_number(num_epochs):
    with pytest.raises(ValueError, match=f"num_epochs >= 1.*got {num_epochs} epochs"):
        train.fit(three, Ball().player, num_epochs)


def test_no_players_are_refused():
    with pytest.raises(ValueError, match="a player, got 1 epochs and 0 players"):
        train.fit(three, [], 1)


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="no batch; is the data set empty"):
        train.fit(list, Ball().player, 1)


def test_an_iterator_that_serves_one_epoch_only_is_noticed():
    batches = three()
    with pytest.raises(ValueError, match="no batch"):
        train.fit(lambda: batches, Ball().player, 2)


def test_two_terms_of_one_name_are_refused():
    twins = [Ball("same").player, Ball("same").player]
    with pytest.raises(ValueError, match="two terms are called 'same'"):
        train.fit(three, twins, 1)
    ball = Ball("loss", term=lambda *_: {"loss": torch.tensor(0.0)})
    with pytest.raises(ValueError, match="two terms are called 'loss'; give each"):
        train.fit(three, ball.player, 1)
    assert ball.at == 4.0


def test_a_loss_that_was_not_averaged_is_refused_with_its_shape():
    ball = Ball()

    def rows(batch):
        return ball.at * torch.ones(5), {}

    with pytest.raises(ValueError, match=r"loss must be one number.*\(5,\).*average"):
        train.fit(three, train.Player("loss", rows, ball.optimizer), 1)


@pytest.mark.parametrize(
    ("quiet", "progress", "shown"),
    [("", None, True), ("1", None, False), ("1", True, True), ("", False, False)],
)
def test_the_bar_is_shown_where_it_is_wanted(
    capsys, monkeypatch, quiet, progress, shown
):
    monkeypatch.setenv("JENSENGAP_QUIET", quiet)
    train.fit(three, Ball().player, 1, progress=progress)
    assert ("epoch" in capsys.readouterr().err) == shown
