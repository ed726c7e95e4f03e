"""The shared training does what the chapters say, on the smallest real digits."""

import numpy as np
import pytest
import torch

from jensengap import data, nets, recipes, train
from jensengap.data import embedded

LATENT, HIDDEN = 2, 16


@pytest.fixture(scope="module")
def probs():
    return data.unit_pixels(embedded.digits_8x8("train").pixels[:250], white=16)


def model(seed=0):
    torch.manual_seed(seed)
    return recipes.digit_vae(LATENT, HIDDEN, num_pixels=64)


def entropy(p):
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(-1)


def test_the_digit_vae_has_one_hidden_layer_on_either_side():
    vae = model()
    num_encoder = 64 * HIDDEN + HIDDEN + HIDDEN * 2 * LATENT + 2 * LATENT
    num_decoder = LATENT * HIDDEN + HIDDEN + HIDDEN * 64 + 64
    assert sum(p.numel() for p in vae.parameters()) == num_encoder + num_decoder
    assert vae.decoder.head is nets.bernoulli
    assert vae.encode(torch.zeros(3, 64)).event_shape == (LATENT,)
    assert recipes.digit_vae(3, 4).decode(torch.zeros(3)).event_shape == (784,)


def test_training_raises_the_bound_and_the_loss_is_minus_it(probs):
    history = recipes.fit_vae(
        model(), probs, num_epochs=15, max_rate=2e-2, batch_size=20
    )
    assert set(history) == {"loss", "reconstruction", "kl_prior"}
    for loss, rec, kl in zip(*history.values(), strict=True):
        assert abs(loss - (kl - rec)) < 1e-3
        assert kl > 0
    assert history["loss"][-1] < history["loss"][0] - 1


def test_training_starts_at_the_entropy_of_independent_pixels(probs):
    still = recipes.fit_vae(model(), probs, num_epochs=1, max_rate=1e-9, batch_size=20)
    # the decoder's first weights are small, and so is what they add
    assert abs(-still["reconstruction"][0] - entropy(probs.mean(0))) < 3


def test_every_step_draws_its_pixels_anew(probs, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        recipes.data,
        "binarize",
        lambda p: drawn.append(torch.bernoulli(p)) or drawn[-1],
    )
    recipes.fit_vae(model(), probs, num_epochs=11, max_rate=1e-3, batch_size=250)
    assert len({tuple(x.sum(0).tolist()) for x in drawn}) == len(drawn) == 11


def test_one_seed_gives_one_model_and_another_seed_another(probs):
    runs = []
    for seed in (0, 0, 1):
        vae = model(seed)
        recipes.fit_vae(vae, probs, num_epochs=1, max_rate=1e-2, batch_size=20)
        runs.append(torch.cat([p.detach().flatten() for p in vae.parameters()]))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("batch_size", [1000, 100, 125])
def test_the_schedule_ends_with_the_last_batch_whole_or_not(
    probs, batch_size, monkeypatch
):
    players, fit = [], train.fit

    def spy(batches, player, num_epochs):
        players.append(player)
        return fit(batches, player, num_epochs)

    monkeypatch.setattr(recipes.train, "fit", spy)
    recipes.fit_vae(model(), probs, num_epochs=11, max_rate=1e-3, batch_size=batch_size)
    schedule = players[0].scheduler
    assert schedule.last_epoch == schedule.total_steps == 11 * -(-250 // batch_size)


@pytest.mark.parametrize("num_epochs", [1, 10])
def test_a_schedule_of_ten_steps_or_fewer_is_refused_with_their_number(
    probs, num_epochs
):
    with pytest.raises(
        ValueError, match=f"more than 10 steps, got {num_epochs}; raise num_"
    ):
        recipes.fit_vae(
            model(), probs, num_epochs=num_epochs, max_rate=1e-3, batch_size=250
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_epochs": 0},
        {"batch_size": 0},
        {"batch_size": -5},
        {"max_rate": 0.0},
        {"max_rate": -1e-3},
        {"max_rate": float("inf")},
    ],
)
def test_a_setting_that_trains_nothing_is_refused_with_its_value(probs, wrong):
    settings = {"num_epochs": 1, "max_rate": 1e-3, "batch_size": 10} | wrong
    with pytest.raises(ValueError, match="fit_vae needs an image") as error:
        recipes.fit_vae(model(), probs, **settings)
    assert str(*wrong.values()) in str(error.value)


def test_no_images_are_refused(probs):
    with pytest.raises(ValueError, match=r"each size at least 1, got \(0, 64\)"):
        recipes.fit_vae(model(), probs[:0], num_epochs=1, max_rate=1e-3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_rate": float("nan")}, "max_rate must be a number, got NaN"),
        ({"num_epochs": 1.5}, "num_epochs must be a whole number"),
        ({"batch_size": None}, "batch_size must be a whole number"),
        ({"probs": torch.rand(20, 8, 8)}, r"x.flatten\(1\) joins the axes"),
        ({"probs": torch.rand(64)}, r"x\[None\] adds an axis for one example"),
        (
            {"probs": torch.ones(20, 64).byte()},
            "probs must hold floating-point numbers",
        ),
        ({"probs": torch.rand(250, 784)}, r"has \(64,\) outputs but probs has"),
    ],
)
def test_other_settings_and_images_are_refused_before_anything_moves(
    probs, wrong, message
):
    vae = model()
    before = [p.clone() for p in vae.parameters()]
    settings = {"num_epochs": 1, "max_rate": 1e-3, "batch_size": 10, "probs": probs}
    with pytest.raises(ValueError, match=message):
        recipes.fit_vae(vae, **settings | wrong)
    pairs = zip(vae.parameters(), before, strict=True)
    assert all(torch.equal(p, b) for p, b in pairs)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_one_intensity_that_is_no_probability_is_refused_before_anything_moves(
    probs, wrong
):
    broken, vae = probs.clone(), model()
    broken[-1, 3] = wrong
    before = [p.clone() for p in vae.parameters()]
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        recipes.fit_vae(vae, broken, num_epochs=20, max_rate=1e-3)
    pairs = zip(vae.parameters(), before, strict=True)
    assert all(torch.equal(p, b) for p, b in pairs)


def test_settings_may_be_numbers_of_numpy(probs):
    settings = {"num_epochs": 2, "max_rate": 0.01, "batch_size": 20}
    kinds = np.int64, np.float64, np.int8
    numpy = {
        name: kind(settings[name]) for name, kind in zip(settings, kinds, strict=True)
    }
    histories = []
    for each in (settings, numpy):
        torch.manual_seed(0)
        vae = recipes.digit_vae(np.int64(2), np.int64(16), num_pixels=np.int32(64))
        histories.append(recipes.fit_vae(vae, probs, **each))
    assert histories[0] == histories[1]


def test_a_model_of_another_dtype_is_trained_in_its_own(probs):
    vae = model().double()
    history = recipes.fit_vae(vae, probs, num_epochs=5, max_rate=2e-2, batch_size=20)
    assert {p.dtype for p in vae.parameters()} == {torch.float64}
    assert history["loss"][-1] < history["loss"][0]


def test_the_history_is_of_images_though_the_last_batch_is_smaller(probs):
    """At a rate of almost zero an epoch in uneven batches is one pass over them."""
    vae, rows = model(), probs.round()  # nothing is left to draw but z
    nets.start_at_mean(vae.decoder.net, rows.mean(0))
    still = recipes.fit_vae(vae, rows, num_epochs=11, max_rate=1e-12, batch_size=240)
    kl = vae.terms(rows).kl_prior.mean()
    assert still["kl_prior"] == pytest.approx([kl.item()] * 11, rel=1e-4)


def test_an_optimiser_without_momentum_has_its_cycle_too():
    weight = torch.nn.Parameter(torch.ones(()))
    schedule = recipes.one_cycle(torch.optim.Adagrad([weight], 0.5), 20, warm_up=0.5)
    rates = []
    for _ in range(20):
        rates += schedule.get_last_lr()
        schedule.optimizer.step()
        schedule.step()
    assert max(rates) == rates[9] == 0.5
    assert rates[0] < 0.05 > rates[-1]


@pytest.mark.parametrize("warm_up", [0.0, 1.0, -0.1, 2])
def test_a_warm_up_outside_of_the_training_is_refused(warm_up):
    adam = torch.optim.Adam([torch.nn.Parameter(torch.ones(()))])
    with pytest.raises(ValueError, match="a warm_up between 0 and 1"):
        recipes.one_cycle(adam, 20, warm_up=warm_up)


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        recipes.digit_vae(0, 5)
