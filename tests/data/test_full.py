"""The full sets are read only when verified, and a failure leaves nothing behind."""

import gzip
import hashlib
import os
import urllib.error
from pathlib import Path

import pytest
import torch

from jensengap import _torchvision
from jensengap.data import embedded, full

COUNTS = {"train": 6, "t10k": 3}
STEMS = [
    f"{part}-{kind}-ubyte" for part in COUNTS for kind in ("images-idx3", "labels-idx1")
]
SETS = {"MNIST": full.full_mnist, "FashionMNIST": full.full_fashion_mnist}


def idx(stem):
    """A small IDX file: the header, then values that count up."""
    count = COUNTS[stem.split("-")[0]]
    images = "images" in stem
    sizes = [count, 28, 28] if images else [count]
    header = bytes([0, 0, 8, len(sizes)]) + b"".join(
        s.to_bytes(4, "big") for s in sizes
    )
    values = count * 28 * 28 if images else count
    return header + bytes(i % 251 if images else i % 10 for i in range(values))


CONTENTS = {stem: idx(stem) for stem in STEMS}
PACKED = {f"{stem}.gz": gzip.compress(CONTENTS[stem], mtime=0) for stem in STEMS}


@pytest.fixture(params=SETS)
def name(request, monkeypatch):
    """The name of a set that is shrunk to nine images, with digests to match."""
    monkeypatch.setattr(full, "_COUNTS", COUNTS)
    for source in (full._MNIST, full._FASHION_MNIST):
        for stem in STEMS:
            checked = PACKED[f"{stem}.gz"] if source.packed else CONTENTS[stem]
            digest = hashlib.new(source.algorithm, checked).hexdigest()
            monkeypatch.setitem(source.digests, stem, digest)
    return request.param


@pytest.fixture
def server(monkeypatch):
    """What the mirrors hold, by file name; a missing name is a missing network."""
    files, asked = dict(PACKED), []

    def download_url(url, root, filename):
        asked.append(filename)
        if filename not in files:
            (Path(root) / filename).write_bytes(b"the first bytes, then the line fell")
            raise urllib.error.URLError("Name or service not known")
        (Path(root) / filename).write_bytes(files[filename])

    utils = _torchvision.load().datasets.utils
    monkeypatch.setattr(utils, "download_url", download_url)
    files["asked"] = asked
    return files


def put(root, name, files):
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    for file, stored in files.items():
        (folder / file).write_bytes(stored)
    return folder


def tree(root):
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_folder_with_good_files_is_read_and_left_as_it_is(name, tmp_path, split):
    put(tmp_path, name, PACKED)
    before = tree(tmp_path)
    pixels, labels = SETS[name](tmp_path, split, download=False)
    part = {"train": "train", "test": "t10k"}[split]
    expected = CONTENTS[f"{part}-images-idx3-ubyte"][16:]
    assert pixels.shape == (COUNTS[part], 28, 28)
    assert pixels.dtype == torch.uint8
    assert bytes(pixels.flatten().numpy()) == expected
    assert labels.tolist() == list(range(COUNTS[part]))
    assert labels.dtype == torch.int64
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["MNIST"], indirect=True)
def test_unpacked_mnist_is_read_as_torchvision_leaves_it(name, tmp_path):
    put(tmp_path, name, CONTENTS)
    assert full.full_mnist(tmp_path, "test", download=False).pixels.shape[0] == 3


@pytest.mark.parametrize("name", ["MNIST"], indirect=True)
def test_mnist_packed_otherwise_is_the_same_mnist(name, tmp_path):
    other = {file: gzip.compress(gzip.decompress(b), 1) for file, b in PACKED.items()}
    assert other != PACKED
    put(tmp_path, name, other)
    assert len(full.full_mnist(tmp_path, "train", download=False).labels) == 6


def test_what_is_missing_is_downloaded_once(name, tmp_path, server):
    root = tmp_path / "deep" / "folder"
    first = SETS[name](root, "train")
    assert server["asked"] == [f"{stem}.gz" for stem in STEMS[:2]]
    second = SETS[name](root, "train")
    assert len(server["asked"]) == 2
    assert torch.equal(first.pixels, second.pixels)
    assert tree(tmp_path) == {f"{stem}.gz": PACKED[f"{stem}.gz"] for stem in STEMS[:2]}
    assert not list(root.rglob(".incomplete-*"))


def test_a_good_file_is_kept_and_only_the_other_is_downloaded(name, tmp_path, server):
    mine = f"{STEMS[2]}.gz"
    put(tmp_path, name, {mine: PACKED[mine], "notes.txt": b"mine"})
    SETS[name](tmp_path, "test")
    assert server["asked"] == [f"{STEMS[3]}.gz"]
    assert tree(tmp_path)["notes.txt"] == b"mine"


def test_no_network_says_which_files_belong_where(name, tmp_path, server):
    for file in PACKED:
        del server[file]
    root = tmp_path / "deep"
    with pytest.raises(ConnectionError) as caught:
        SETS[name](root, "test")
    message = str(caught.value)
    assert "Name or service not known" in message
    assert "is there a network?" in message
    assert f"{STEMS[2]}.gz and {STEMS[3]}.gz" in message
    assert f"put them into {root / name / 'raw'}" in message
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_fails_half_way_leaves_only_whole_files(name, tmp_path, server):
    del server[f"{STEMS[1]}.gz"]
    with pytest.raises(ConnectionError, match=f"get .*{STEMS[1]}.gz by other means"):
        SETS[name](tmp_path, "train")
    whole = f"{STEMS[0]}.gz"
    assert tree(tmp_path) == {whole: PACKED[whole]}
    assert not list(tmp_path.rglob(".incomplete-*"))


def test_a_mirror_with_damaged_files_is_not_believed(name, tmp_path, server):
    server[f"{STEMS[0]}.gz"] = PACKED[f"{STEMS[0]}.gz"][:-20]
    with pytest.raises(ConnectionError, match="truncated or corrupted"):
        SETS[name](tmp_path / "new", "train")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(name, tmp_path, monkeypatch):
    def interrupt(url, root, filename):
        (Path(root) / filename).write_bytes(b"half")
        raise KeyboardInterrupt

    utils = _torchvision.load().datasets.utils
    monkeypatch.setattr(utils, "download_url", interrupt)
    with pytest.raises(KeyboardInterrupt):
        SETS[name](tmp_path / "new", "train")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_without_download_is_named_and_no_folder_is_made(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{STEMS[0]}.gz and .* download=True"):
        SETS[name](tmp_path / "new", "train", download=False)
    assert list(tmp_path.iterdir()) == []


def flip(stored):
    return stored[:-1] + bytes([stored[-1] ^ 1])


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda stem: PACKED[f"{stem}.gz"][:-9], "a whole gzip file, got .* bytes"),
        (lambda stem: flip(PACKED[f"{stem}.gz"]), "a whole gzip file, got"),
        (lambda stem: b"", "truncated or corrupted: expected"),
        (lambda stem: b"<html>not found</html>", "a whole gzip file, got 22 bytes"),
        (
            lambda stem: gzip.compress(CONTENTS[stem][:-5]),
            "bytes of data, got .* bytes",
        ),
        (
            lambda stem: gzip.compress(flip(CONTENTS[stem])),
            "(sha256|md5) [0-9a-f]+, got",
        ),
    ],
)
@pytest.mark.parametrize("stem", STEMS[:2])
def test_a_damaged_file_is_named_and_left_to_its_owner(
    name, tmp_path, server, stem, damage, message, download
):
    files = {**PACKED, f"{stem}.gz": damage(stem)}
    folder = put(tmp_path, name, files)
    with pytest.raises(RuntimeError, match=message) as caught:
        SETS[name](tmp_path, "train", download=download)
    assert str(folder / f"{stem}.gz") in str(caught.value)
    assert "delete this file and call again" in str(caught.value)
    assert tree(tmp_path) == files
    assert server["asked"] == []


@pytest.mark.parametrize("name", ["MNIST"], indirect=True)
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"\0", flip])
def test_a_damaged_unpacked_file_is_named(name, tmp_path, damage):
    folder = put(tmp_path, name, {**CONTENTS, STEMS[2]: damage(CONTENTS[STEMS[2]])})
    with pytest.raises(RuntimeError, match="truncated or corrupted") as caught:
        full.full_mnist(tmp_path, "test", download=False)
    assert str(folder / STEMS[2]) in str(caught.value)


@pytest.mark.parametrize("split", ["all", "valid", ""])
def test_an_unknown_split_is_named_before_anything_happens(name, tmp_path, split):
    with pytest.raises(ValueError, match=f"must be 'train' or 'test', got '{split}'"):
        SETS[name](tmp_path / "new", split)
    assert list(tmp_path.iterdir()) == []


def test_the_real_mnist_if_it_is_here_and_otherwise_a_clear_error(tmp_path):
    root = os.environ.get("JENSENGAP_DATA")
    if not root:
        with pytest.raises(FileNotFoundError, match="MNIST is not complete"):
            full.full_mnist(tmp_path, "train", download=False)
        return
    train = full.full_mnist(root, "train", download=False)
    assert train.pixels.shape == (60_000, 28, 28)
    known = {bytes(row) for row in train.pixels.flatten(1).numpy()}
    own = embedded.mnist_5k("all").pixels.flatten(1).numpy()
    assert all(bytes(row) in known for row in own)
    assert len(full.full_mnist(root, "test", download=False).labels) == 10_000


def test_fashion_digests_are_those_that_torchvision_holds():
    resources = dict(_torchvision.load().datasets.FashionMNIST.resources)
    mine = {f"{stem}.gz": d for stem, d in full._FASHION_MNIST.digests.items()}
    assert mine == resources
