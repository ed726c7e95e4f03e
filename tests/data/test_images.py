"""Grey levels become numbers, numbers black and white, and bad input is named."""

import inspect
import math

import numpy as np
import pytest
import torch

from jensengap import data
from jensengap.data import embedded


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_unit_pixels_are_levels_over_white_row_by_row():
    pixels = torch.tensor([[[0, 51], [204, 255]]], dtype=torch.uint8)
    expected = torch.tensor([[0.0, 0.2, 0.8, 1.0]])
    torch.testing.assert_close(data.unit_pixels(pixels), expected, rtol=0, atol=0)
    digits = data.unit_pixels(embedded.digits_8x8("test").pixels, white=16)
    assert digits.dtype == torch.float32
    assert digits.shape == (355, 64)
    assert digits.min() == 0
    assert digits.max() == 1


@pytest.mark.parametrize(
    ("pixels", "came"),
    [
        (torch.zeros(4, 784, dtype=torch.uint8), r"uint8 of shape \(4, 784\)"),
        (torch.zeros(0, 28, 28, dtype=torch.uint8), r"of shape \(0, 28, 28\)"),
        (torch.zeros(4, 28, 28), r"torch.float32 of shape \(4, 28, 28\)"),
    ],
)
def test_unit_pixels_names_a_wrong_shape_an_empty_set_and_a_wrong_type(pixels, came):
    plain = inspect.unwrap(data.unit_pixels)  # as users run it, without shape checks
    with pytest.raises(ValueError, match=f"n >= 1, got .*{came}"):
        plain(pixels)


def test_unit_pixels_names_a_level_above_white():
    with pytest.raises(ValueError, match="at most white=16, got 255; use white=255"):
        data.unit_pixels(embedded.mnist_5k("test").pixels, white=16)


def test_binarised_pixels_are_fresh_bernoulli_draws(generator):
    probs = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    n = 20_000
    draws = data.binarize(probs.expand(n, 5), generator)  # (n, 5)
    assert draws.dtype == probs.dtype
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    stderr = (probs * (1 - probs) / n).sqrt()
    assert ((draws.mean(0) - probs).abs() <= 4 * stderr).all()
    assert not torch.equal(draws, data.binarize(probs.expand(n, 5), generator))
    replay = torch.Generator().manual_seed(0)
    assert torch.equal(draws, data.binarize(probs.expand(n, 5), replay))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, math.nan], "must be finite, got nan: 1 of 2"),
        ([math.inf, 0.1, -math.inf], "must be finite, got inf: 2 of 3"),
        ([0.5, 1.5, -0.1], r"in \[0, 1\], got 1.5 at worst, 2 of 3"),
        ([0.5, -0.25], r"in \[0, 1\], got -0.25 at worst, 1 of 2"),
        ([255.0, 0.0], "got 255 at worst, 1 of 2 values outside; for grey levels"),
        ([], r"must not be empty, got shape \(0,\)"),
    ],
)
def test_binarize_names_what_is_no_probability(generator, values, message):
    with pytest.raises(ValueError, match=message):
        data.binarize(torch.tensor(values), generator)


def test_one_channel_or_three_follow_each_other_in_the_row():
    grey = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)
    rows = data.unit_pixels(grey, white=np.int64(23))
    torch.testing.assert_close(data.unit_pixels(grey[:, None], white=23), rows)
    colours = torch.stack([grey, grey + 24, grey + 48], 1)  # (n, 3, h, w)
    wanted = torch.arange(24).reshape(2, 12).repeat(1, 3)
    wanted = wanted + torch.arange(3).repeat_interleave(12) * 24
    torch.testing.assert_close(data.unit_pixels(colours) * 255, wanted.float())


@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((28, 28), r"one image is pixels\[None\]"),
        ((5, 784), r"rows are pixels.reshape\(n, height, width\)"),
        ((28, 28, 1), r"channels come first: pixels\[None\].permute\(0, 3, 1, 2\)"),
        ((28, 28, 3), "channels come first"),
        ((28, 28, 4), "channels come first"),
        ((5, 28, 28, 1), r"channels come first: pixels.permute\(0, 3, 1, 2\)"),
        ((5, 28, 28, 3), "channels come first"),
        ((5, 28, 28, 4), "channels come first"),
        ((5, 4, 28, 28), r"leave out the transparency: pixels\[:, :-1\]"),
        ((5, 2, 28, 28), "leave out the transparency"),
        ((5, 7, 28, 28), r"\(n, channels, height, width\)"),
        ((1, 5, 3, 28, 28), r"\(n, channels, height, width\)"),
    ],
)
def test_pictures_with_other_axes_are_refused_with_a_cure(shape, cure):
    with pytest.raises(ValueError, match=cure):
        data.unit_pixels(torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("white", [0, -1, 256, 1000])
def test_a_white_that_no_level_can_be_is_refused(white):
    with pytest.raises(ValueError, match=f"white must be from 1 to 255, got {white}"):
        data.unit_pixels(torch.zeros(1, 2, 2, dtype=torch.uint8), white=white)


@pytest.mark.parametrize("white", [255.0, True, "255"])
def test_a_white_that_is_no_whole_number_is_refused(white):
    with pytest.raises(ValueError, match="white must be a whole number"):
        data.unit_pixels(torch.zeros(1, 2, 2, dtype=torch.uint8), white=white)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64])
def test_binarize_refuses_what_is_black_and_white_already(dtype):
    with pytest.raises(ValueError, match="probs must hold floating-point numbers"):
        data.binarize(torch.ones(3, 4).to(dtype))


def test_images_are_read_and_drawn_on_their_device():
    # meta has shapes and no numbers: nothing is taken to another device
    pixels = torch.zeros(3, 4, 5, dtype=torch.uint8, device="meta")
    drawn = data.binarize(data.unit_pixels(pixels))
    assert (drawn.device.type, drawn.shape) == ("meta", (3, 20))
