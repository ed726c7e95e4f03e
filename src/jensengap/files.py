"""Write files atomically: a kill at any moment leaves the old one or the new one.

Only the standard library is used, so that the build has this before its environment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

HOUR = 3600.0  # what was not touched for so long is nobody's work any more
PATIENCE = 10.0  # seconds for another process to finish
_CONTENDED = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file under another name, and rename it when all of it is on the disk.

    What a killed process left beside the file is removed once it is an hour old.

    Args:
        path: where it is to stand; what was there before stands until the end. A link
            stays a link, and a file keeps its permissions.
        content: all of its bytes, or its text (UTF-8).

    Raises:
        PermissionError: the file is read-only.
        IsADirectoryError: there is a folder of this name.
        OSError: the folder cannot be written to, or the disk is full. In each case the
            old file is as it was, and nothing is left beside it.
    """
    content = content.encode() if isinstance(content, str) else content
    # what a link points at is replaced, not the link
    path = Path(os.path.realpath(path))
    _refuse_what_is_no_file(path)
    _remove_leftovers(path)
    # a random name: in two containers two processes may have one number
    aside = path.with_name(f"{_stem(path)}{secrets.token_hex(8)}.part")
    try:
        # x: a file of ours and of nobody else; it has the mode that the umask leaves
        with aside.open("xb") as file:
            _locked(file.fileno())
            file.write(content)
            file.flush()
            # on the disk before it has the name: else a power cut leaves an empty file
            os.fsync(file.fileno())
        _take_over(path, aside)
        _rename(aside, path)
    # also an interrupt: nothing is left beside the file
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let no other process read, change and write a file at the same time.

    The lock is on the file's folder, so nothing is left beside the file; on Windows,
    and where a folder cannot be locked, on a hidden file that stays. It ends with its
    process, however that ends. A file system without locks gives none.

    Args:
        path: of the file, which need not be there.

    Yields:
        Nothing.

    Raises:
        TimeoutError: another process has held the lock for ten seconds.
        OSError: there is no such folder.
    """
    folder = os.path.dirname(os.path.realpath(path))
    descriptor = _lockable(Path(folder), os.path.basename(path))
    try:
        end = time.monotonic() + PATIENCE
        while _locked(descriptor) is False:
            if time.monotonic() > end:
                raise TimeoutError(
                    errno.ETIMEDOUT, "another process is writing to it", str(path)
                )
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse what must not be replaced: a folder, a device, a read-only file."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        code = errno.EISDIR
    elif stat.S_ISLNK(mode):  # only a circle of links is still one here
        code = errno.ELOOP
    elif not stat.S_ISREG(mode):
        code = errno.EINVAL
    elif not os.access(path, os.W_OK):
        code = errno.EACCES
    else:
        return
    # the class goes with the code: PermissionError, IsADirectoryError
    raise OSError(code, os.strerror(code), str(path))


def _stem(path: Path) -> str:
    """Return how all names begin that are used while a file is written."""
    # cut: a name may have 255 bytes, and a letter four of them
    return f".{path.name[:40]}."


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of this file; what is locked is alive."""
    pattern = re.compile(re.escape(_stem(path)) + r"[0-9a-f]{16}\.part")
    # a folder that cannot be listed, a file that is gone meanwhile: no leftovers
    with contextlib.suppress(OSError):
        for name in filter(pattern.fullmatch, os.listdir(path.parent)):
            with contextlib.suppress(OSError):
                _remove_if_dead(path.with_name(name))


def _remove_if_dead(aside: Path) -> None:
    if time.time() - aside.stat().st_mtime < HOUR:
        return
    # open for writing: some file systems give a lock to no other
    with aside.open("r+b") as file:
        alive = _locked(file.fileno()) is False
    if not alive:
        aside.unlink()


def _take_over(old: Path, new: Path) -> None:
    """Give a new file the owner and the permissions of the one that it replaces."""
    # a file system may know neither, and a reader may not give a file away
    with contextlib.suppress(OSError):
        before = old.stat()
        now = new.stat()
        if hasattr(os, "chown") and before.st_uid != now.st_uid:
            with contextlib.suppress(OSError):
                os.chown(new, before.st_uid, before.st_gid)
        os.chmod(new, stat.S_IMODE(before.st_mode))


def _rename(aside: Path, path: Path) -> None:
    """Rename a file over another, in one step."""
    # on Windows whoever reads the old file, or looks for viruses, holds it for a while
    for wait in (0.02, 0.1, 0.5):
        try:
            os.replace(aside, path)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(aside, path)


def _lockable(folder: Path, name: str) -> int:
    """Open what can be locked: the folder, or else a hidden file in it."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        if _locked(descriptor) is not None:
            return descriptor
        os.close(descriptor)
    hidden = folder / f".{name[:40]}.lock"
    return os.open(hidden, os.O_RDWR | os.O_CREAT, 0o666)


def _locked(descriptor: int) -> bool | None:
    """Lock what is open until it is closed.

    Returns:
        Whether it could be had at once; None where there are no locks.
    """
    try:
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _CONTENDED else None
    return True
