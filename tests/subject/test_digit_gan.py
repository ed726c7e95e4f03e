"""The digit GAN plays its game, and inversion finds codes that are known."""

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
