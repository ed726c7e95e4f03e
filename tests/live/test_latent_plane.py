"""The plane's still picture follows the point; a mean that is another is refused."""

import pytest
import torch
from torch import nn

from jensengap import nets, recipes, vae
from jensengap.live import latent_plane
from jensengap.markup import parameters


def scene(model, start=(0.0, 0.0)):
    torch.manual_seed(1)
    return latent_plane.scene(
        model, torch.randn(30, 2), torch.arange(30) % 3, start, 3.0
    )


def test_the_picture_is_the_mean_at_the_point(model):
    fig, update = scene(model)
    plane, picture = fig.axes
    for z in ((0.0, 0.0), (1.5, -2.0)):
        update(*z)
        with torch.no_grad():
            mean = model.decode(torch.tensor([z])).mean.reshape(4, 4)
        assert torch.equal(
            torch.tensor(picture.images[0].get_array().data), mean.double()
        )
        assert plane.lines[-1].get_xydata().tolist() == [list(z)]


def test_the_picture_starts_at_the_start(model):
    fig, _ = scene(model, (0.5, 1.0))
    assert fig.axes[0].lines[-1].get_xydata().tolist() == [[0.5, 1.0]]


def test_every_class_is_named_at_its_median(model):
    torch.manual_seed(1)
    codes, labels = torch.randn(30, 2), torch.arange(30) % 3
    fig, _ = scene(model)
    for label, text in enumerate(fig.axes[0].texts):
        assert text.get_text() == str(label)
        wanted = codes[labels == label].median(0).values.tolist()
        assert list(text.get_position()) == wanted


def test_a_mean_that_the_page_computes_too_is_accepted(model):
    network = parameters.network(model.decoder.net, "float16", "sigmoid")
    latent_plane.same_mean(model, network, 3.0)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.Sigmoid])
def test_each_activation_is_the_one_of_torch(model, activation):
    net = nets.mlp(2, 6, 6, 9, activation=activation)
    model.decoder = nets.Conditional(net, nets.fixed_scale(0.5))
    latent_plane.same_mean(model, parameters.network(net), 3.0)


def test_a_mean_that_is_another_is_refused(model):
    network = parameters.network(model.decoder.net, "float32", "identity")
    with pytest.raises(ValueError, match="a mean that is off by"):
        latent_plane.same_mean(model, network, 3.0)


@pytest.mark.parametrize(("latent_dim", "num_pixels"), [(3, 16), (2, 15)])
def test_another_number_of_dimensions_or_pixels_is_refused(latent_dim, num_pixels):
    model = recipes.digit_vae(latent_dim, 4, num_pixels)
    network = parameters.network(model.decoder.net, "float32", "sigmoid")
    wanted = f"2 latent dimensions to a square picture, got {latent_dim} and"
    with pytest.raises(ValueError, match=wanted):
        latent_plane.same_mean(model, network, 3.0)


def test_a_decoder_in_double_precision_is_drawn_as_well(model):
    model = vae.VAE(model.encoder, model.decoder.double(), model.prior)
    _, update = scene(model)
    update(1.0, 1.0)
