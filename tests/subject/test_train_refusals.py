"""What cannot be trained is refused in a sentence, and nothing has moved."""

import math
from inspect import unwrap

import pytest
import torch

from jensengap import train

fit = unwrap(train.fit)  # as users run it, without a check of types


@pytest.fixture
def weight():
    return torch.nn.Parameter(torch.ones(()))


def player(weight, step, name="loss", **kind):
    return train.Player(name, step, torch.optim.Adam([weight], 0.1), **kind)


@pytest.mark.parametrize("make", [iter, lambda b: (i for i in b), enumerate])
def test_batches_that_can_be_read_once_are_refused_even_for_one_epoch(weight, make):
    batches = make([1, 2, 3])
    with pytest.raises(ValueError, match=r"batches are wanted anew.*read only once"):
        fit(batches, player(weight, lambda b: weight), 1)
    assert next(batches)  # not even begun


@pytest.mark.parametrize("batches", [7, None, lambda: None, lambda: 7])
def test_what_is_no_batches_is_refused(weight, batches):
    with pytest.raises(
        ValueError, match="must be iterable, or a function that returns"
    ):
        fit(batches, player(weight, lambda b: weight), 1)


@pytest.mark.parametrize(
    "batches",
    [[], torch.utils.data.DataLoader([]), torch.zeros(0, 3).split(2)[1:], lambda: []],
)
def test_an_empty_data_set_is_refused(weight, batches):
    with pytest.raises(ValueError, match="gave no batch; is the data set empty"):
        fit(batches, player(weight, lambda b: weight), 1)


def test_a_batch_without_an_example_is_refused(weight):
    with pytest.raises(ValueError, match="must hold an example, got one of length 0"):
        fit([torch.zeros(0, 3)], player(weight, lambda b: weight * b.mean()), 1)
    assert weight == 1


def test_a_batch_of_one_example_is_one(weight):
    history = fit([torch.ones(1)], player(weight, lambda b: weight * b.mean()), 1)
    assert history == {"loss": [1.0]}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda w: None, "must return a loss.*got NoneType.*`return loss`"),
        (lambda w: 0.5, "got float;.*without .item"),
        (lambda w: w.detach().numpy(), "got ndarray"),
        (lambda w: (w, {}, {}), "got tuple"),
        (lambda w: {"loss": w}, "got dict"),
        (lambda w: w.detach(), "loss has no gradient, got a loss of torch.float32"),
        (lambda w: torch.tensor(3), "no gradient, got a loss of torch.int64"),
        (lambda w: torch.no_grad()(w.exp)(), "no gradient.*made under no_grad"),
        (lambda w: (w, [w]), "terms of 'loss' must be a dict of numbers.*got list"),
        (lambda w: (w, None), "must be a dict of numbers.*got NoneType"),
        (lambda w: (w, w), "must be a dict of numbers.*got Parameter"),
        (lambda w: (w, {0: w}), "must be a dict of numbers by name.*got dict"),
        (lambda w: (w, {"a": "b"}), "a must be one number, got .b."),
        (lambda w: (w, {"a": None}), "a must be one number"),
        (lambda w: (w, {"a": torch.ones(2)}), "a must be one number, got shape"),
        (lambda w: w * torch.ones(2), r"loss must be one number, got shape \(2,\)"),
        (lambda w: w * 1j, "loss must be one number.*complex"),
    ],
)  # fmt: skip
def test_what_a_step_returns_is_read_before_anything_moves(weight, step, message):
    with pytest.raises(ValueError, match=message):
        fit([1], player(weight, lambda _: step(weight)), 1)
    assert weight == 1


def test_a_loss_that_reaches_no_parameter_of_the_optimiser_is_refused(weight):
    other = torch.nn.Parameter(torch.ones(()))
    with pytest.raises(
        ValueError, match="'loss' reaches no parameter of its optimizer"
    ):
        fit([1], player(weight, lambda _: other * 2), 1)
    weight.requires_grad_(False)
    with pytest.raises(ValueError, match="leave their requires_grad on"):
        fit([1], player(weight, lambda _: other * weight), 1)


def test_a_player_may_pause_once_it_has_moved(weight):
    def step(i):
        return weight if i == 0 else torch.zeros((), requires_grad=True)

    assert fit([0, 1], player(weight, step), 1) == {"loss": [0.5]}


def test_frozen_parameters_may_be_thawed_by_the_step(weight):
    weight.requires_grad_(False)
    fit([1], player(weight, lambda _: weight.requires_grad_(True) * 2), 1)
    assert weight < 1


@pytest.mark.parametrize(
    "step", [lambda w: None, lambda w: w.detach(), lambda w: (w, {"A": w}), lambda w: 1]
)
def test_a_refusal_of_the_second_player_leaves_the_first_where_it_was(weight, step):
    first = torch.optim.Adam([weight], 0.1)
    fall = torch.optim.lr_scheduler.ExponentialLR(first, 0.5)
    other = torch.nn.Parameter(torch.ones(()))
    players = [
        train.Player("A", lambda _: weight * 2, first, fall),
        player(other, lambda _: step(other), "B"),
    ]
    for _ in range(2):  # an optimiser that remembers nothing, and one that does
        before = weight.item(), str(first.state_dict()), fall.state_dict()
        with pytest.raises(ValueError, match="B") as error:
            fit([1], players, 1)
        assert (weight.item(), str(first.state_dict()), fall.state_dict()) == before
        assert "player 'B', step 0" in error.value.__notes__[0]
        fit([1], players[0], 1)


@pytest.mark.parametrize("wrong", [torch.optim.Adam, torch.nn.Linear(1, 1), 1e-3, None])
def test_what_is_no_optimiser_is_refused(wrong, weight):
    with pytest.raises(
        ValueError, match=r"optimizer of 'loss' must be one of torch\.optim"
    ):
        fit([1], train.Player("loss", lambda _: weight, wrong), 1)


@pytest.mark.parametrize("wrong", [torch.optim.lr_scheduler.StepLR, 0.1, lambda: None])
def test_what_is_no_scheduler_is_refused(wrong, weight):
    with pytest.raises(ValueError, match="scheduler of 'loss' must be one of"):
        fit([1], player(weight, lambda _: weight, scheduler=wrong), 1)
    assert weight == 1


def test_a_scheduler_of_another_optimiser_is_refused(weight):
    other = torch.optim.SGD([torch.nn.Parameter(torch.ones(()))], 0.1)
    schedule = torch.optim.lr_scheduler.StepLR(other, 1)
    with pytest.raises(ValueError, match="changes the rate of another optimizer"):
        fit([1], player(weight, lambda _: weight, scheduler=schedule), 1)
    assert weight == 1


@pytest.mark.parametrize(
    "wrong",
    [[("loss", len, None)], 3, ("loss", len, None), [train.Player(1, len, None)],
     train.Player("loss", None, None)],
)  # fmt: skip
def test_what_is_no_player_is_refused(wrong):
    with pytest.raises(ValueError, match=r"players must be train.Player\(name, step"):
        fit([1], wrong, 1)


@pytest.mark.parametrize("num_epochs", [1.5, "2", True, None, math.nan])
def test_epochs_are_whole(weight, num_epochs):
    with pytest.raises(ValueError, match="num_epochs must be a whole number"):
        train.fit([1], player(weight, lambda _: weight), num_epochs)


def test_a_model_made_under_inference_mode_is_refused():
    with torch.inference_mode():
        weight = torch.nn.Parameter(torch.ones(()))
    with pytest.raises(ValueError, match=r"made under torch\.inference_mode.*outside"):
        fit([1], player(weight, lambda _: weight * 2), 1)
