"""The full MNIST and Fashion-MNIST, in a folder of yours, verified at each reading.

The files lie where torchvision puts them, ``<root>/MNIST/raw/`` and
``<root>/FashionMNIST/raw/``, and a folder made by torchvision is read as it is. A file
that is there is never changed or removed; a missing one is downloaded into a folder
beside, and moved into place only when its checksum is right.
"""

import gzip
import hashlib
import os
import socket
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import torch

from jensengap import _torchvision
from jensengap.data import Images


class _Source(NamedTuple):
    name: str  # torchvision's class and folder
    packed: bool  # whether the digests are of the .gz files or of what they hold
    algorithm: str
    digests: dict[str, str]


# MNIST goes round in several packings, so the digests are of the contents.
_MNIST = _Source(
    name="MNIST",
    packed=False,
    algorithm="sha256",
    digests={
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
)
# Its authors publish digests of the packed files only, so only those are read.
_FASHION_MNIST = _Source(
    name="FashionMNIST",
    packed=True,
    algorithm="md5",
    digests={
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)
_COUNTS = {"train": 60_000, "t10k": 10_000}
_TIMEOUT = 30.0  # seconds without an answer; torchvision itself would wait for ever


def full_mnist(
    root: str | os.PathLike[str], split: str, *, download: bool = True
) -> Images:
    """All of MNIST, 28 by 28, in its authors' order.

    Args:
        root: a folder of yours; the files are ``root/MNIST/raw/*-ubyte``, packed
            (``.gz``) or not.
        split: "train" (60,000 images) or "test" (10,000).
        download: fetch what is missing (10 MB for "train").

    Returns:
        Pixels from 0 (background) to 255 (ink) and labels from 0 to 9.

    Raises:
        ValueError: the split is unknown.
        FileNotFoundError: a file is missing and ``download`` is false.
        ConnectionError: a missing file could not be downloaded.
        RuntimeError: a file is truncated, corrupted or another one.

    Source: LeCun, Cortes and Burges, the MNIST database.
    """
    return _load(_MNIST, Path(root).expanduser(), split, download)


def full_fashion_mnist(
    root: str | os.PathLike[str], split: str, *, download: bool = True
) -> Images:
    """All of Fashion-MNIST, ten kinds of clothing, in its authors' order.

    Args:
        root: a folder of yours; the files are ``root/FashionMNIST/raw/*-ubyte.gz``.
            Only packed files are read: checksums are published for no others.
        split: "train" (60,000 images) or "test" (10,000).
        download: fetch what is missing (26 MB for "train").

    Returns:
        Pixels from 0 (background) to 255 and labels from 0 to 9.

    Raises:
        ValueError: the split is unknown.
        FileNotFoundError: a file is missing and ``download`` is false.
        ConnectionError: a missing file could not be downloaded.
        RuntimeError: a file is truncated, corrupted or another one.

    Source: Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, table 1.
    """
    return _load(_FASHION_MNIST, Path(root).expanduser(), split, download)


def _load(source: _Source, root: Path, split: str, download: bool) -> Images:
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    prefix = "train" if split == "train" else "t10k"
    stems = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    folder = root / source.name / "raw"
    missing = [stem for stem in stems if _find(source, folder, stem) is None]
    if missing and not download:
        raise FileNotFoundError(
            f"{source.name} is not complete; {_by_hand(missing, folder)}, "
            "or let download=True fetch them"
        )
    if missing:
        _fetch(source, folder, missing)
    count = _COUNTS[prefix]
    pixels, labels = (_read(source, _find(source, folder, stem)) for stem in stems)
    return Images(pixels.reshape(count, 28, 28), labels.long())


def _find(source: _Source, folder: Path, stem: str) -> Path | None:
    """The file that holds these data, unpacked if that can be verified."""
    names = [f"{stem}.gz"] if source.packed else [stem, f"{stem}.gz"]
    return next((folder / name for name in names if (folder / name).exists()), None)


def _read(source: _Source, path: Path) -> torch.Tensor:
    """The values of an IDX file (uint8, flat), after its size and digest are checked.

    The format: a header of 16 bytes for images and 8 for labels, then one byte a value.
    """
    stem = path.name.removesuffix(".gz")
    header, each = (16, 28 * 28) if "images" in stem else (8, 1)
    stored = path.read_bytes()
    try:
        content = gzip.decompress(stored) if path.suffix == ".gz" else stored
    except (OSError, EOFError, zlib.error) as error:
        got = f"{len(stored)} bytes that do not unpack ({error})"
        raise _corrupt(path, "a whole gzip file", got) from error
    size = header + each * _COUNTS[stem.split("-")[0]]
    if len(content) != size:
        raise _corrupt(path, f"{size} bytes of data", f"{len(content)} bytes")
    checked = stored if source.packed else content
    digest = hashlib.new(source.algorithm, checked, usedforsecurity=False).hexdigest()
    if digest != source.digests[stem]:
        wanted = f"{source.algorithm} {source.digests[stem]}"
        raise _corrupt(path, wanted, digest)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header)


def _corrupt(path: Path, wanted: str, got: str) -> RuntimeError:
    return RuntimeError(
        f"{path} is truncated or corrupted: expected {wanted}, got {got}; "
        "delete this file and call again with download=True"
    )


def _fetch(source: _Source, folder: Path, stems: list[str]) -> None:
    """Download files into a folder beside, and move each when it is verified."""
    with (
        _gone_on_failure(folder),
        tempfile.TemporaryDirectory(prefix=".incomplete-", dir=folder) as beside,
    ):
        for stem in stems:
            path = Path(beside) / f"{stem}.gz"
            reasons = _download(source, path)
            if not path.exists():
                raise ConnectionError(
                    f"{source.name} could not be downloaded ({'; '.join(reasons)}); "
                    f"is there a network? Otherwise, {_by_hand(stems, folder)}"
                )
            path.replace(folder / path.name)


def _download(source: _Source, path: Path) -> list[str]:
    """Try torchvision's mirrors in turn; why they failed, and no file, if all do."""
    datasets = _torchvision.load().datasets
    reasons = []
    for mirror in getattr(datasets, source.name).mirrors:
        try:
            with _timeout():
                datasets.utils.download_url(mirror + path.name, path.parent, path.name)
            _read(source, path)
            return []
        except (OSError, HTTPException, RuntimeError) as error:
            path.unlink(missing_ok=True)
            reasons.append(f"{mirror}: {error}")
    return reasons


def _by_hand(stems: list[str], folder: Path) -> str:
    names = " and ".join(f"{stem}.gz" for stem in stems)
    return f"get {names} by other means and put them into {folder}"


@contextmanager
def _gone_on_failure(folder: Path) -> Iterator[None]:
    """Make a folder; after a failure remove what was made, as far as it is empty."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:  # an interrupt, too
        with suppress(OSError):
            for path in made:
                path.rmdir()
        raise


@contextmanager
def _timeout() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
