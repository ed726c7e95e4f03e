"""All of MNIST for the peers: unpacked into ``_build``, where torchvision reads it.

Run as a program, it fills that folder: from the one that JENSENGAP_DATA names, or from
``data`` here, into which a missing file is downloaded.
"""

import gzip
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build" / "bench" / "digits"
STEMS = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}


def images(folder: Path, split: str) -> np.ndarray:
    """Read the pixels of "train" or "test", bytes of shape (n, 784)."""
    path = folder / "MNIST" / "raw" / STEMS[split]
    return np.fromfile(path, dtype=np.uint8, offset=16).reshape(-1, 784)


def source() -> Path:
    """Return the folder that the digits come from."""
    named = os.environ.get("JENSENGAP_DATA")
    return Path(named).expanduser() if named else ROOT / "data"


def unpack(root: Path, folder: Path) -> None:
    """Copy the four files of MNIST, unpacked, each whole or not at all.

    Args:
        root: has them in ``MNIST/raw``, packed or not.
        folder: gets them, in ``MNIST/raw`` too.
    """
    from jensengap.files import write_whole  # not for the peers, as below

    place = folder / "MNIST" / "raw"
    place.mkdir(parents=True, exist_ok=True)
    for stem in STEMS.values():
        for name in (stem, stem.replace("images-idx3", "labels-idx1")):
            packed = root / "MNIST" / "raw" / f"{name}.gz"
            # the plain file first, as the package reads (and has verified) them
            plain = packed.with_suffix("")
            found = plain.exists()
            content = (
                plain.read_bytes() if found else gzip.decompress(packed.read_bytes())
            )
            write_whole(place / name, content)


def main() -> None:
    """Verify the files at their source and unpack them."""
    from jensengap.data import full  # not for the peers, which import this module

    root = source()
    try:
        for split in STEMS:
            full.full_mnist(root, split)
        unpack(root, FOLDER)
    except (OSError, RuntimeError, ModuleNotFoundError) as error:
        raise SystemExit(
            f"The bench wants all of MNIST: {error}. JENSENGAP_DATA may name a folder "
            "that has MNIST/raw with its four files."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
