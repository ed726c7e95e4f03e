"""The digit GAN plays its game, and inversion finds codes that are known."""

import copy
import io
import math
import pickle

import numpy as np
import pytest
import torch

from jensengap import data, digit_gan, nets
from jensengap.data import embedded


@pytest.fixture(scope="module")
def images():
    return data.unit_pixels(embedded.mnist_5k("train").pixels[:64])


def model(seed=0, width=4):
    torch.manual_seed(seed)
    return digit_gan.DigitGan(3, width)


def test_the_generator_gives_intensities():
    made = model().sample(5)
    assert made.shape == (5, 784)
    assert 0 < made.min() < made.max() < 1
    with pytest.raises(ValueError, match="at least 1, got 0"):
        model().sample(0)


def test_no_layer_of_the_discriminator_stretches_any_direction():
    rival = model()
    x = torch.rand(64, 784)
    for _ in range(200):  # each pass sharpens the estimate of the singular values
        rival.discriminator(x)
    with torch.no_grad():
        norm = torch.linalg.matrix_norm(rival.discriminator[6].weight, 2)
    assert abs(norm - 1) < 0.01


def test_vae_and_gan_are_built_of_the_same_networks():
    vae, rival = digit_gan.twin_vae(3, 4), model()
    shapes = [[p.shape for p in net.parameters()] for net in (vae.decoder, rival.net)]
    assert shapes[0] == shapes[1]
    assert vae.encode(torch.zeros(2, 784)).event_shape == (3,)
    assert vae.decode(torch.zeros(4, 2, 3)).batch_shape == (4, 2)


def test_training_moves_both_players_and_repeats_from_a_seed(images):
    ends = []
    for seed in (0, 0, 1):
        rival = model(seed)
        start = [p.clone() for p in rival.parameters()]
        history = digit_gan.fit_gan(rival, images, num_epochs=2, batch_size=16)
        assert set(history) == {"discriminator", "generator"}
        pairs = zip(rival.parameters(), start, strict=True)
        assert all(not torch.equal(p, s) for p, s in pairs)
        ends.append(torch.cat([p.detach().flatten() for p in rival.net.parameters()]))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_the_discriminator_learns_what_is_real(images):
    rival = model()
    history = digit_gan.fit_gan(rival, images, num_epochs=20, batch_size=16)
    assert history["discriminator"][-1] < history["discriminator"][0] - 0.2


@pytest.mark.parametrize(
    "wrong", [{"num_epochs": 0}, {"batch_size": 65}, {"batch_size": 0}, {"rate": 0.0}]
)
def test_a_setting_that_trains_nothing_is_refused(images, wrong):
    with pytest.raises(ValueError, match="fit_gan needs") as error:
        digit_gan.fit_gan(model(), images, **({"num_epochs": 1} | wrong))
    assert str(*wrong.values()) in str(error.value)


def test_inversion_finds_codes_of_the_generators_own_images():
    torch.manual_seed(0)
    net = nets.to_image(2, 4)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter *= 3  # so that images differ enough to be told apart
        z = torch.randn(6, 2)
        x = torch.sigmoid(net(z))
    before = [p.clone() for p in net.parameters()]
    found = digit_gan.invert(net, x, latent_dim=2, num_candidates=500, num_steps=100)
    assert found.error.max() < 1e-2
    assert (found.codes - z).abs().max() < 0.1
    back = (torch.sigmoid(net(found.codes)) - x).square().mean(1).sqrt()
    torch.testing.assert_close(back, found.error)
    pairs = zip(net.parameters(), before, strict=True)
    assert all(torch.equal(p, b) for p, b in pairs)
    assert all(p.grad is None for p in net.parameters())


def test_more_starts_do_not_leave_a_larger_error():
    errors = []
    for num_starts in (1, 4):
        torch.manual_seed(0)
        net, x = nets.to_image(2, 4), torch.rand(5, 784)
        settings = {"num_candidates": 50, "num_steps": 30, "num_starts": num_starts}
        errors.append(digit_gan.invert(net, x, latent_dim=2, **settings).error)
    assert (errors[1] <= errors[0] + 1e-6).all()


@pytest.mark.parametrize(
    "wrong", [{"num_steps": 0}, {"num_starts": 0}, {"num_candidates": 2}]
)
def test_inversion_needs_steps_and_starts(wrong):
    with pytest.raises(ValueError, match="invert needs an image"):
        digit_gan.invert(model().net, torch.rand(2, 784), latent_dim=3, **wrong)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_gan_that_has_travelled_is_the_same(protocol):
    here = model().double()
    here.discriminator[3].eval()
    state = torch.get_rng_state()
    there = pickle.loads(pickle.dumps(here, protocol))
    # nothing is drawn where it arrives
    assert torch.equal(torch.get_rng_state(), state)
    for one, other in zip(here.modules(), there.modules(), strict=True):
        assert one.training == other.training
    x = torch.rand(5, 784).double()
    for _ in range(3):  # each pass in training moves the singular vectors
        assert torch.equal(here.discriminator(x), there.discriminator(x))
    z = torch.randn(2, 3).double()
    assert torch.equal(here.generate(z), there.generate(z))


def test_a_gan_can_be_saved_whole_and_copied(images):
    here, file = model(), io.BytesIO()
    here.net.requires_grad_(False)
    torch.save(here, file)
    file.seek(0)
    for there in (torch.load(file, weights_only=False), copy.deepcopy(here)):
        assert here.state_dict().keys() == there.state_dict().keys()
        for name, tensor in here.state_dict().items():
            assert torch.equal(tensor, there.state_dict()[name])
        assert not there.net[0].weight.requires_grad
        there.net.requires_grad_(True)
        digit_gan.fit_gan(there, images, num_epochs=1)  # and it learns
    assert not here.net[0].weight.requires_grad


def test_an_optimiser_that_travels_along_still_moves_the_gan():
    here = model()
    both = here, torch.optim.Adam(here.parameters())
    for there, adam in (pickle.loads(pickle.dumps(both)), copy.deepcopy(both)):
        moved = [p for group in adam.param_groups for p in group["params"]]
        pairs = zip(moved, there.parameters(), strict=True)
        assert all(one is other for one, other in pairs)


def test_a_discriminator_whose_norms_were_taken_off_travels_as_it_is():
    here = model().discriminator
    for layer in here:
        if torch.nn.utils.parametrize.is_parametrized(layer):
            torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    there = pickle.loads(pickle.dumps(here))
    x = torch.rand(5, 784)
    assert torch.equal(here(x), there(x))


def test_a_gan_follows_its_dtype_and_its_device(images):
    rival = model().double()
    assert rival.sample(2).dtype == torch.float64
    digit_gan.fit_gan(rival, images, num_epochs=1)
    found = digit_gan.invert(
        rival.net, images[:2], latent_dim=3, num_candidates=5, num_steps=2
    )
    assert found.codes.dtype == found.error.dtype == torch.float64
    # meta has shapes and no numbers: nothing is made elsewhere
    made = rival.to("meta").sample(np.int64(2))
    assert (made.device.type, made.shape) == ("meta", (2, 784))


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_inversion_and_training_work_where_gradients_are_switched_off(images, off):
    found = []
    for context in (torch.enable_grad, off):
        rival = model()
        with context():
            x = images[:32].clone()
            digit_gan.fit_gan(rival, x, num_epochs=1)
            found.append(digit_gan.invert(rival.net, x, latent_dim=3, num_candidates=9))
    assert torch.equal(found[0].codes, found[1].codes)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": torch.rand(64, 64)}, r"images must have the shape \(n, 784\)"),
        ({"images": torch.rand(64, 28, 28)}, r"x.flatten\(1\)"),
        ({"images": torch.rand(64, 784) * math.nan}, "images must be finite, got nan"),
        ({"images": torch.full((64, 784), 255.0)}, "images must lie in .*unit_pixels"),
        ({"images": torch.ones(64, 784).byte()}, "images must hold floating-point"),
        ({"rate": math.inf}, "finite rate, got .* and inf"),
        ({"num_epochs": 1.5}, "num_epochs must be a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_is_refused_before_anything_moves(
    images, wrong, message
):
    rival = model()
    before = [p.clone() for p in rival.parameters()]
    with pytest.raises(ValueError, match=message):
        digit_gan.fit_gan(rival, **{"images": images, "num_epochs": 1} | wrong)
    pairs = zip(rival.parameters(), before, strict=True)
    assert all(torch.equal(p, b) for p, b in pairs)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latent_dim": 4}, r"\(9, 4\)"),
        ({"latent_dim": 0}, "invert needs an image.*, 0, 3 of 9"),
        ({"images": torch.rand(2, 64)}, r"got 64 and \(9, 784\) for 9 codes"),
        ({"images": torch.rand(784)}, r"x\[None\] adds an axis for one example"),
        ({"images": torch.full((2, 784), math.nan)}, "images must be finite, got nan"),
        ({"rate": 0.0}, "positive, finite rate, got .* and 0.0"),
    ],
)
def test_an_inversion_of_other_sizes_is_refused(wrong, message):
    settings = {"images": torch.rand(2, 784), "latent_dim": 3, "num_candidates": 9}
    with pytest.raises(ValueError, match=message):
        digit_gan.invert(model().net, **settings | wrong)


def test_codes_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"latent_dim = 3 columns, got shape \(2, 4\)"):
        model().generate(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="num_samples must be a whole number"):
        model().sample(2.5)
