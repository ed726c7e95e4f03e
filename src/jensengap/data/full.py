"""Load the full MNIST and Fashion-MNIST from your folder; download what is missing.

The files lie where torchvision puts them, ``<root>/MNIST/raw/`` and
``<root>/FashionMNIST/raw/``, and a folder made by torchvision is read as it is. A file
that is there is never changed or removed; a missing one is downloaded by ``pooch``,
which moves it into place only when its checksum is right.
"""

import gzip
import hashlib
import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from jensengap.data import Images


class _Source(NamedTuple):
    name: str  # torchvision's folder
    address: str  # where the packed files lie
    md5: dict[str, str]  # of packed files, and of contents where those are known


_MNIST = _Source(
    name="MNIST",
    address="https://ossci-datasets.s3.amazonaws.com/mnist/",
    md5={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        # MNIST goes round in several packings, so a reader's file is judged by these.
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
)
# Its authors publish digests of the packed files only, so only those are read.
_FASHION_MNIST = _Source(
    name="FashionMNIST",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)


def full_mnist(
    root: str | os.PathLike[str], split: str, *, download: bool = True
) -> Images:
    """Load all of MNIST, 28 by 28, in its authors' order.

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
        ModuleNotFoundError: a file is missing, and so is ``pooch``.
        ConnectionError: a missing file could not be downloaded.
        RuntimeError: a file is truncated, corrupted or another one.

    Source: LeCun et al. (1998), the MNIST database.
    """
    return _load(_MNIST, Path(root).expanduser(), split, download)


def full_fashion_mnist(
    root: str | os.PathLike[str], split: str, *, download: bool = True
) -> Images:
    """Load all of Fashion-MNIST, ten kinds of clothing, in its authors' order.

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
        ModuleNotFoundError: a file is missing, and so is ``pooch``.
        ConnectionError: a missing file could not be downloaded.
        RuntimeError: a file is truncated, corrupted or another one.

    Source: Xiao, Rasul and Vollgraf (2017), table 1.
    """
    return _load(_FASHION_MNIST, Path(root).expanduser(), split, download)


def _load(source: _Source, root: Path, split: str, download: bool) -> Images:
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    prefix = "train" if split == "train" else "t10k"
    stems = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    folder = root / source.name / "raw"
    missing = [f"{stem}.gz" for stem in stems if _find(source, folder, stem) is None]
    by_hand = f"get {' and '.join(missing)} by other means and put them into {folder}"
    if missing and not download:
        raise FileNotFoundError(
            f"{source.name} is not complete; {by_hand}, or let download=True fetch them"
        )
    if missing:
        _fetch(source, folder, missing, by_hand)
    pixels, labels = (_read(source, _find(source, folder, stem)) for stem in stems)
    return Images(pixels, labels.long())


def _find(source: _Source, folder: Path, stem: str) -> Path | None:
    """Find the file that holds these data, unpacked if that can be verified."""
    paths = (folder / name for name in (stem, f"{stem}.gz") if name in source.md5)
    return next((path for path in paths if path.exists()), None)


def _read(source: _Source, path: Path) -> torch.Tensor:
    """Read an IDX file of bytes, after its digest is checked.

    The format: two zeros, the type, the number of axes, the length of each (four bytes,
    the high one first), and then the values.
    """
    content = stored = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(stored)
        except (OSError, EOFError, zlib.error) as error:
            got = f"{len(stored)} bytes that do not unpack ({error})"
            raise _corrupt(path, "a whole gzip file", got) from error
    stem = path.name.removesuffix(".gz")
    # by content where its digest is known: gzip headers differ from copy to copy
    name, checked = (stem, content) if stem in source.md5 else (path.name, stored)
    digest = hashlib.md5(checked, usedforsecurity=False).hexdigest()
    wanted = source.md5[name]
    if digest != wanted:
        raise _corrupt(path, f"md5 {wanted}", f"{len(checked)} bytes of {digest}")
    # byte 3 counts the axes; each length has four bytes, the high one first
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    # a copy: torch wants memory that may be written to
    values = np.frombuffer(content, np.uint8, offset=4 + shape.nbytes).copy()
    return torch.from_numpy(values.reshape(shape))


def _corrupt(path: Path, wanted: str, got: str) -> RuntimeError:
    return RuntimeError(
        f"{path} is truncated or corrupted: expected {wanted}, got {got}; "
        "delete this file and call again with download=True"
    )


def _fetch(source: _Source, folder: Path, names: list[str], by_hand: str) -> None:
    """Download packed files; each gets its name when it is whole, and not before."""
    try:
        import pooch  # here, since a folder that is complete does without
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{source.name} is downloaded by pooch, which is not installed; "
            f"run: pip install pooch. Otherwise, {by_hand}"
        ) from error
    registry = {name: f"md5:{source.md5[name]}" for name in names}
    store = pooch.create(folder, source.address, registry=registry, retry_if_failed=2)
    for name in names:
        try:
            store.fetch(name)
        except (OSError, ValueError) as error:  # no network; another checksum
            raise ConnectionError(
                f"{source.name} could not be downloaded from {source.address} "
                f"({error}); is there a network? Otherwise, {by_hand}"
            ) from error
