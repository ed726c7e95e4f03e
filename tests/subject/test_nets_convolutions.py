"""The small convolutional networks: flat outside, as large as their formula says."""

import pytest
import torch

from jensengap import nets


def test_images_are_rows_on_either_side_whatever_axes_lead():
    decoder, encoder = nets.to_image(3, 4), nets.from_image(5, 4)
    for lead in ((), (2,), (2, 7)):
        x = decoder(torch.randn(*lead, 3))
        assert x.shape == (*lead, 784)
        assert encoder(x).shape == (*lead, 5)


def test_a_row_is_mapped_alone_or_in_company_alike():
    torch.manual_seed(0)
    decoder, z = nets.to_image(3, 4).double(), torch.randn(6, 3).double()
    alone = torch.stack([decoder(each) for each in z])
    torch.testing.assert_close(decoder(z), alone, rtol=0, atol=1e-12)


def test_a_pixel_of_the_image_is_seen_where_it_stands():
    torch.manual_seed(0)
    encoder, x = nets.from_image(1, 2), torch.rand(784).requires_grad_()
    (slope,) = torch.autograd.grad(encoder(x)[0], x)
    first = encoder[1].weight.shape[-1]
    assert (slope != 0).all()  # the kernels of 4 with steps of 2 leave no pixel out
    assert first == 4


def test_the_last_layer_is_a_bias_for_each_pixel_and_can_start_at_the_mean():
    decoder, probs = nets.to_image(2, 4), torch.rand(784)
    nets.start_at_mean(decoder, probs)
    with torch.no_grad():
        for layer in decoder[:-1]:
            for parameter in layer.parameters():
                parameter.zero_()
        made = torch.sigmoid(decoder(torch.zeros(2)))
    assert (made - probs).abs().max() < 1e-3


def test_parameters_are_those_of_the_layers():
    z, w = 5, 6
    wanted = (z + 1) * 2 * w * 49 + 2 * w * w * 16 + w + w * 16 + 1 + 784
    decoder = nets.to_image(z, w)
    assert sum(p.numel() for p in decoder.parameters()) == wanted
    wanted = w * 16 + w + 2 * w * w * 16 + 2 * w + (2 * w * 49 + 1) * z
    encoder = nets.from_image(z, w)
    assert sum(p.numel() for p in encoder.parameters()) == wanted


def test_multiplications_are_weights_times_the_places_where_they_are_used():
    z, w = 5, 6
    wanted = z * 2 * w * 49 + 49 * 2 * w * w * 16 + 196 * w * 16
    assert nets.multiplications(nets.to_image(z, w), torch.zeros(1, z)) == wanted
    wanted = 196 * w * 16 + 49 * 2 * w * w * 16 + 2 * w * 49 * z
    x = torch.zeros(3, 784)
    assert nets.multiplications(nets.from_image(z, w), x) == wanted
    assert nets.multiplications(nets.mlp(7, 3, 2), torch.zeros(1, 7)) == 27


def test_counting_leaves_the_network_as_it_was():
    net, x = nets.from_image(2, 2), torch.zeros(1, 784)
    nets.multiplications(net, x)
    assert not any(layer._forward_hooks for layer in net.modules())
    with pytest.raises(ValueError, match="the network must take what it is given"):
        nets.multiplications(net, x[:, :7])
    assert not any(layer._forward_hooks for layer in net.modules())


@pytest.mark.parametrize("build", [nets.to_image, nets.from_image])
def test_sizes_below_one_are_refused(build):
    with pytest.raises(ValueError, match=r"at least 1, got \{'.*': 0, 'width': 16\}$"):
        build(0)
    with pytest.raises(ValueError, match=r"at least 1, got \{'.*': 2, 'width': -1\}$"):
        build(2, -1)


@pytest.mark.parametrize("build", [nets.to_image, nets.from_image])
def test_sixteen_maps_are_built_unless_told_and_each_linear_map_is_bent(build):
    plain, told = build(3), build(3, 16)
    assert [p.shape for p in plain.parameters()] == [p.shape for p in told.parameters()]
    linear = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    kinds = [type(layer) for layer in plain]
    maps = [at for at, kind in enumerate(kinds) if kind in linear]
    # behind each but the last
    assert all(kinds[at + 1] is torch.nn.LeakyReLU for at in maps[:-1])


def test_no_row_to_count_on_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^rows must have .* got \(0, 2\)$"):
        nets.multiplications(nets.mlp(2, 1), torch.zeros(0, 2))
