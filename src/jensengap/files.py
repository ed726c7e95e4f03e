"""Write files atomically: a kill at any moment leaves the old one or the new one.

Only the standard library is used, so that the build has this before its environment.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file under another name, and rename it when all of it is on the disk.

    Args:
        path: where it is to stand; what was there before stands until the end. A link
            stays a link.
        content: all of its bytes, or its text (UTF-8).

    Raises:
        PermissionError: the file is read-only.
        OSError: the folder cannot be written to, or the disk is full. In each case the
            old file is as it was, and nothing is left beside it.
    """
    # what a link points at is replaced, not the link
    path = path.resolve()
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    # its own name: two processes may write the same file
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            # on the disk before it has the name: else a power cut leaves an empty file
            os.fsync(file.fileno())
        # atomic, since both names are in one folder
        os.replace(aside, path)
    # also an interrupt: nothing is left beside the file
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
