"""A training that is broken off and taken up again ends with the very same network."""

import pytest
import torch

from jensengap import data, train
from jensengap.data import embedded
from jensengap.experiments import distributed, iwae_table, resumable

ALONE = distributed.Group(0, 1, 0, torch.device("cpu"))
SETTINGS = resumable.Settings(
    objective="iwae",
    num_samples=2,
    seed=0,
    num_epochs=3,
    batch_size=50,
    max_rate=3e-3,
    warm_samples=1,
    warm_epochs=0,
    eval_samples=10,
    digits="embedded",
    matmul="highest",
)
# two cheap epochs, then one with all samples
WARM = SETTINGS._replace(num_samples=5, warm_samples=2, warm_epochs=2)


@pytest.fixture(scope="module")
def probs():
    return data.unit_pixels(embedded.mnist_5k("train").pixels[:220])


@pytest.fixture(scope="module")
def whole(probs):
    training = resumable.Training(SETTINGS, probs, ALONE)
    training.run(lambda: None)
    return training


def equal(a, b):
    pairs = zip(a.model.state_dict().values(), b.model.state_dict().values())  # noqa: B905
    return a.history == b.history and all(torch.equal(*pair) for pair in pairs)


class Killed(Exception):
    """What breaks a training off, in these tests."""


def broken_off(probs, at, state=None, settings=SETTINGS):
    """Train up to a step, counted from where the state was; return the new state."""
    training, kept = resumable.Training(settings, probs, ALONE), []
    if state is not None:
        training.restore(state)

    def kill():
        kept.append(None)
        if len(kept) == at:
            raise Killed

    with pytest.raises(Killed):
        training.run(kill)
    return training.state()


@pytest.mark.parametrize("at", [1, 3, 4, 5, 11, 12])
def test_a_resumed_training_is_the_uninterrupted_one(probs, whole, at):
    training = resumable.Training(SETTINGS, probs, ALONE)
    training.restore(broken_off(probs, at))
    assert training.num_steps == at
    training.run(lambda: None)
    assert equal(training, whole)


def test_a_training_killed_twice_in_one_epoch_is_so_too(probs, whole):
    state = broken_off(probs, 2, broken_off(probs, 5))
    training = resumable.Training(SETTINGS, probs, ALONE)
    training.restore(state)
    assert training.num_steps == 7
    training.run(lambda: None)
    assert equal(training, whole)


def counted(monkeypatch):
    """Note how many samples every step from now on draws for an image."""
    draw, numbers = iwae_table.draw, []

    def noting(batch_size, num_pixels, num_samples, generator):
        numbers.append(num_samples)
        return draw(batch_size, num_pixels, num_samples, generator)

    monkeypatch.setattr(iwae_table, "draw", noting)
    return numbers


@pytest.mark.parametrize("warm_epochs", [0, 1, 2])
def test_the_number_of_samples_changes_with_the_epoch(probs, monkeypatch, warm_epochs):
    numbers = counted(monkeypatch)
    settings = WARM._replace(warm_epochs=warm_epochs)
    resumable.Training(settings, probs, ALONE).run(lambda: None)
    assert numbers == 4 * warm_epochs * [2] + 4 * (3 - warm_epochs) * [5]


@pytest.mark.parametrize("at", [6, 7, 8, 9])
def test_a_training_resumed_where_the_samples_change_is_the_same(
    probs, monkeypatch, at
):
    one = resumable.Training(WARM, probs, ALONE)
    one.run(lambda: None)
    state = broken_off(probs, at, settings=WARM)
    resumed = resumable.Training(WARM, probs, ALONE)
    resumed.restore(state)
    numbers = counted(monkeypatch)
    resumed.run(lambda: None)
    assert numbers == (8 - at) * [2] + min(4, 12 - at) * [5]
    assert equal(resumed, one)


@pytest.mark.parametrize("at", [1, 7, 10])
def test_a_training_with_soap_resumes_to_the_same_network(probs, at):
    settings = SETTINGS._replace(optimizer="soap", gradient="doubly")
    one = resumable.Training(settings, probs, ALONE)
    one.run(lambda: None)
    resumed = resumable.Training(settings, probs, ALONE)
    resumed.restore(broken_off(probs, at, settings=settings))
    resumed.run(lambda: None)
    assert equal(resumed, one)


@pytest.mark.parametrize("change", [{"optimizer": "soap"}, {"gradient": "doubly"}])
def test_optimizer_and_gradient_are_those_asked_for(probs, whole, change):
    other = resumable.Training(SETTINGS._replace(**change), probs, ALONE)
    other.run(lambda: None)
    assert not equal(other, whole)
    # the same bound of the same untrained network in the first epoch's first steps
    gap = abs(other.history["iwae"][0] - whole.history["iwae"][0])
    assert gap < 0.2 * abs(whole.history["iwae"][0])


def test_without_warm_epochs_their_number_of_samples_is_nothing(probs, whole):
    training = resumable.Training(SETTINGS._replace(warm_samples=7), probs, ALONE)
    training.run(lambda: None)
    assert equal(training, whole)


def test_the_result_is_the_seeds_and_no_other_chances(probs, whole):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = resumable.Training(SETTINGS, probs, ALONE)
    again.run(lambda: torch.rand(1))
    torch.manual_seed(99)
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(again, whole)
    other = resumable.Training(SETTINGS._replace(seed=1), probs, ALONE)
    other.run(lambda: None)
    assert not equal(other, whole)


def test_a_run_takes_every_full_batch_and_records_each_epoch(whole):
    assert whole.steps_an_epoch == 4
    assert whole.num_steps == 12
    assert len(whole.history["elbo"]) == len(whole.history["iwae"]) == 3
    assert whole.history["elbo"][-1] > whole.history["elbo"][0]
    pairs = zip(whole.history["elbo"], whole.history["iwae"], strict=True)
    assert all(elbo < iwae for elbo, iwae in pairs)


def test_the_gradient_of_a_batch_is_the_mean_of_its_parts(probs):
    torch.manual_seed(0)
    model = iwae_table.network(probs.mean(0)).double()
    objective = iwae_table.Objective(model, "iwae")
    noise = iwae_table.draw(50, 784, 2, torch.Generator().manual_seed(0))
    noise = iwae_table.Noise(*(each.double() for each in noise))

    def gradient(rows):
        loss, _ = objective(probs[:50].double()[rows], noise.part(rows))
        gradients = torch.autograd.grad(loss, list(objective.parameters()))
        return torch.cat([each.flatten() for each in gradients])

    parts = [
        gradient(distributed.Group(r, 2, r, ALONE.device).part(50)) for r in (0, 1)
    ]
    assert torch.allclose(sum(parts) / 2, gradient(slice(0, 50)), atol=1e-12)


def test_a_rate_at_which_it_diverges_stops_it_with_the_step(probs):
    training = resumable.Training(SETTINGS._replace(max_rate=1e30), probs, ALONE)
    with pytest.raises(train.NonFiniteLoss, match="at step"):
        training.run(lambda: None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "elbo"}, "must be vae or iwae, got 'elbo'"),
        ({"optimizer": "sgd"}, "optimizer must be adam or soap, got 'sgd'"),
        ({"gradient": "no"}, "of the iwae must be plain or doubly, got 'no'"),
        (
            {"objective": "vae", "gradient": "doubly"},
            "of the vae must be plain, got 'doubly'",
        ),
        ({"num_samples": 0}, "num_samples must be at least 1, got 0"),
        ({"num_epochs": 0}, "num_epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"eval_samples": -1}, "eval_samples must be at least 1, got -1"),
        ({"max_rate": 0.0}, "max_rate must be positive"),
        ({"max_rate": float("nan")}, "max_rate must be positive"),
        ({"warm_samples": 0}, "warm_samples must be at least 1, got 0"),
        ({"warm_epochs": 3}, "must leave an epoch for k samples, got 3 of 3"),
        ({"warm_epochs": -1}, "must leave an epoch for k samples, got -1 of 3"),
        ({"seed": -1}, "seed not negative, got 0.003 and -1"),
        ({"num_epochs": 2}, r"needs more than 10, got 8 \(2 epochs, batches of 50"),
        ({"batch_size": 221}, "needs more than 10, got 0"),
    ],
)
def test_settings_that_cannot_be_trained_with_are_named(probs, change, message):
    with pytest.raises(ValueError, match=message):
        resumable.Training(SETTINGS._replace(**change), probs, ALONE)
