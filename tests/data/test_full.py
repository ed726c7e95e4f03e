"""The full sets are read only when verified, and a failure leaves nothing behind."""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import torch

import jensengap
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
    for source in (full._MNIST, full._FASHION_MNIST):
        for file in source.md5:
            digest = hashlib.md5({**CONTENTS, **PACKED}[file]).hexdigest()
            monkeypatch.setitem(source.md5, file, digest)
    return request.param


@pytest.fixture
def server(monkeypatch):
    """What the mirrors hold, by file name, and what was asked of them."""
    pooch = pytest.importorskip("pooch")
    files, asked = dict(PACKED), []

    def download(self, url, output_file, _):
        asked.append(url.rpartition("/")[2])
        if asked[-1] not in files:
            Path(output_file).write_bytes(b"the first bytes, then the line fell")
            raise requests.ConnectionError("Name or service not known")
        Path(output_file).write_bytes(files[asked[-1]])

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    return files, asked


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
def test_mnist_is_the_same_unpacked_or_packed_otherwise(name, tmp_path):
    other = {file: gzip.compress(gzip.decompress(b), 1) for file, b in PACKED.items()}
    assert other != PACKED
    for files, root in ((CONTENTS, tmp_path / "plain"), (other, tmp_path / "packed")):
        put(root, name, files)
        assert len(full.full_mnist(root, "test", download=False).pixels) == 3


def test_what_is_missing_is_downloaded_once(name, tmp_path, server):
    _, asked = server
    root = tmp_path / "deep" / "folder"
    first = SETS[name](root, "train")
    second = SETS[name](root, "train")
    assert len(asked) == 2
    assert torch.equal(first.pixels, second.pixels)
    assert tree(tmp_path) == {f"{stem}.gz": PACKED[f"{stem}.gz"] for stem in STEMS[:2]}


def test_a_good_file_is_kept_and_only_the_other_is_downloaded(name, tmp_path, server):
    _, asked = server
    mine = f"{STEMS[2]}.gz"
    put(tmp_path, name, {mine: PACKED[mine], "notes.txt": b"mine"})
    SETS[name](tmp_path, "test")
    assert asked == [f"{STEMS[3]}.gz"]
    assert tree(tmp_path)["notes.txt"] == b"mine"


def test_no_network_says_which_files_belong_where(name, tmp_path, server):
    files, _ = server
    files.clear()
    with pytest.raises(ConnectionError) as caught:
        SETS[name](tmp_path, "test")
    message = str(caught.value)
    assert "Name or service not known" in message
    assert "is there a network?" in message
    assert f"{STEMS[2]}.gz and {STEMS[3]}.gz" in message
    assert f"put them into {tmp_path / name / 'raw'}" in message
    assert tree(tmp_path) == {}


def test_a_network_that_fails_half_way_leaves_only_whole_files(name, tmp_path, server):
    files, _ = server
    del files[f"{STEMS[1]}.gz"]
    with pytest.raises(ConnectionError, match=f"get .*{STEMS[1]}.gz by other means"):
        SETS[name](tmp_path, "train")
    assert tree(tmp_path) == {f"{STEMS[0]}.gz": PACKED[f"{STEMS[0]}.gz"]}


def test_a_mirror_with_damaged_files_is_not_believed(name, tmp_path, server):
    files, asked = server
    files[f"{STEMS[0]}.gz"] = PACKED[f"{STEMS[0]}.gz"][:-20]
    with pytest.raises(ConnectionError, match="does not match the known hash"):
        SETS[name](tmp_path, "train")
    assert tree(tmp_path) == {}
    assert asked == [f"{STEMS[0]}.gz"] * 3  # tried again: the line may have fallen


def test_without_pooch_it_says_what_to_install_or_where_to_put(
    name, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install pooch\. .* put them"):
        SETS[name](tmp_path, "train")
    put(tmp_path, name, PACKED)
    assert len(SETS[name](tmp_path, "train").labels) == 6


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
        (lambda stem: gzip.compress(CONTENTS[stem][:-5]), "md5 [0-9a-f]+, got"),
        (lambda stem: gzip.compress(flip(CONTENTS[stem])), "md5 [0-9a-f]+, got"),
    ],
)
@pytest.mark.parametrize("stem", STEMS[:2])
def test_a_damaged_file_is_named_and_left_to_its_owner(
    name, tmp_path, stem, damage, message, download
):
    files = {**PACKED, f"{stem}.gz": damage(stem)}
    folder = put(tmp_path, name, files)
    with pytest.raises(RuntimeError, match=message) as caught:
        SETS[name](tmp_path, "train", download=download)
    assert str(folder / f"{stem}.gz") in str(caught.value)
    assert "delete this file and call again" in str(caught.value)
    assert tree(tmp_path) == files


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


def test_the_digests_are_those_that_torchvision_holds():
    datasets = pytest.importorskip("benchmarks.vision").datasets
    for source in (full._MNIST, full._FASHION_MNIST):
        theirs = getattr(datasets, source.name)
        packed = {n: d for n, d in source.md5.items() if n.endswith(".gz")}
        assert packed == dict(theirs.resources)
        assert source.address in theirs.mirrors


def test_the_data_import_without_the_packages_that_hold_them():
    code = (
        "import torch, sys; before = set(sys.modules)\n"
        "import jensengap.data.embedded, jensengap.data.full\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(new & {'sklearn', 'pooch', 'requests', 'mlxtend', 'pandas'}))"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(jensengap.__file__).parents[1])}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, env=path)
    assert done.stdout.split() == []
