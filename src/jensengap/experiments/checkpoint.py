"""Save and load checkpoints: written aside, sealed by a digest, whole or refused.

The first line says that it is one, the second what it is of and the digest of the
rest. The rest is read with ``weights_only``: tensors and numbers, never code.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from jensengap import files

_MAGIC = b"jensengap checkpoint 1\n"


class CheckpointError(ValueError):
    """Raised for a file that is torn, no checkpoint, or one of another run."""


def save(path: Path, of: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: the file; an older checkpoint there is replaced.
        of: what it is of: everything without which ``state`` would be misread, as
            JSON knows it (settings, kind of device).
        state: tensors, numbers and strings in dicts and lists.

    Raises:
        OSError: see :func:`jensengap.files.write_whole`.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    body = buffer.getvalue()
    # torch.load reads a flipped byte without an error: hence a digest
    head = {"of": of, "sha256": hashlib.sha256(body).hexdigest()}
    files.write_whole(path, _MAGIC + json.dumps(head).encode() + b"\n" + body)


def load(path: Path, of: dict[str, Any]) -> dict[str, Any]:
    """Read a checkpoint, if it is whole and of this very run.

    Args:
        path: the file.
        of: what it has to be of.

    Returns:
        The state, on the CPU.

    Raises:
        CheckpointError: no checkpoint, a torn one, or one of something else; the
            message says which and what to do. The file is left as it is.
        FileNotFoundError: there is no such file.
    """
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise CheckpointError(
            f"{path} is no checkpoint of this program: wanted it to begin with "
            f"{_MAGIC.decode().strip()!r}, got {content[:22]!r}; move it away, or "
            "name another folder"
        )
    line, _, body = content[len(_MAGIC) :].partition(b"\n")
    try:
        head = json.loads(line)
        whole = hashlib.sha256(body).hexdigest() == head["sha256"]
    except (ValueError, KeyError, TypeError):
        whole = False
    # before anything is unpickled
    if not whole:
        raise CheckpointError(
            f"{path} is torn: its {len(content)} bytes are not those that were "
            "written; delete it to begin again, or put a copy of it back"
        )
    same(path, of, head["of"])
    # weights_only: a pickle could run code
    return torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)


def same(path: Path, wanted: dict[str, Any], got: dict[str, Any]) -> None:
    """Refuse a file that is of something else, and name what differs.

    Args:
        path: the file, for the message.
        wanted: what it has to be of.
        got: what it says that it is of.

    Raises:
        CheckpointError: the two differ.
    """
    wanted = json.loads(json.dumps(wanted))  # a tuple comes back as a list
    names = [n for n in {**wanted, **got} if wanted.get(n) != got.get(n)]
    if names:
        raise CheckpointError(
            f"{path} is of another run: wanted "
            + ", ".join(f"{name}={wanted.get(name)}" for name in names)
            + ", got "
            + ", ".join(f"{name}={got.get(name)}" for name in names)
            + "; ask for what it is of, name another folder, or delete it"
        )
