"""A file is written whole, or the old one stays and nothing lies beside it."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from jensengap import files


@pytest.mark.parametrize(
    ("content", "kept"), [("½ nat\n", "½ nat\n".encode()), (b"\0", b"\0")]
)
def test_text_and_bytes_are_written_as_they_are(tmp_path, content, kept):
    path = tmp_path / "a"
    for _ in range(2):  # the second time over the first
        files.write_whole(path, content)
        assert path.read_bytes() == kept
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path, monkeypatch, call, error
):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        files.write_whole(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    files.write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(stat.S_IREAD)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(PermissionError, match="denied"):
        files.write_whole(path, "new")
    assert path.read_text() == "old"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 64 KB, where that is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount).returncode:
        pytest.skip("no disk can be mounted here; the test above fills none")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_on_a_full_disk_the_old_file_stays_and_with_room_the_new_one_comes(small_disk):
    path = small_disk / "a"
    files.write_whole(path, "old")
    (small_disk / "much").write_bytes(bytes(40_000))
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            files.write_whole(path, bytes(40_000))
        assert path.read_text() == "old"
        assert sorted(os.listdir(small_disk)) == ["a", "much"]
    (small_disk / "much").unlink()
    files.write_whole(path, bytes(40_000))
    assert path.read_bytes() == bytes(40_000)


WRITER = """
import sys
from pathlib import Path
from jensengap.files import write_whole
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_whole(path, letter * 3_000_000)
"""


def writing(path):
    """Start a process that writes a file again and again."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
    )
    writer.stdout.readline()
    return writer


def asides(folder):
    return sorted(folder.glob(".*.part"))


def made_older(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills and stops by signal")
def test_a_kill_leaves_old_or_new_and_its_rest_goes_when_it_is_an_hour_old(tmp_path):
    path = tmp_path / "a"
    files.write_whole(path, b"b" * 3_000_000)
    for wait in (0.003, 0.011, 0.017, 0.029):
        with writing(path) as writer:
            time.sleep(wait)
            writer.kill()
        content = path.read_bytes()
        assert content in (b"a" * 3_000_000, b"b" * 3_000_000)
    # one more, if none of the kills has hit the writing itself
    rest = [*asides(tmp_path), tmp_path / f".a.{0:016x}.part"]
    rest[-1].touch()
    files.write_whole(path, "new")
    assert asides(tmp_path) == sorted(rest), "somebody may still be at work"
    for each in rest:
        made_older(each, 2 * files.HOUR)
    files.write_whole(path, "newer")
    assert os.listdir(tmp_path) == ["a"]


# Writes until it has to wait for the disk, and goes on when it is told to.
SLOW_WRITER = """
import os, sys
from pathlib import Path
from jensengap.files import write_whole
os.fsync = lambda _: (print("written", flush=True), sys.stdin.readline())
write_whole(Path(sys.argv[1]), "theirs")
"""
PIPES = {"stdout": subprocess.PIPE, "stdin": subprocess.PIPE}


def test_the_rest_of_a_process_that_lives_stays_however_old_it_is(tmp_path):
    path = tmp_path / "a"
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(path)], **PIPES
    ) as writer:
        writer.stdout.readline()
        (aside,) = asides(tmp_path)
        made_older(aside, 5 * files.HOUR)
        files.write_whole(path, "mine")
        assert aside.exists()
        writer.communicate(b"go on\n")
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("name", [".a.bak", ".a.123", ".ab.0123456789abcdef.part"])
def test_what_others_have_beside_the_file_stays(tmp_path, name):
    (tmp_path / name).touch()
    made_older(tmp_path / name, 5 * files.HOUR)
    files.write_whole(tmp_path / "a", "new")
    assert (tmp_path / name).exists()


def test_a_file_keeps_its_permissions_and_a_new_one_has_those_of_the_umask(tmp_path):
    path, plain = tmp_path / "a", tmp_path / "plain"
    before = os.umask(0o027)
    try:
        files.write_whole(path, "new")
        plain.touch()
    finally:
        os.umask(before)
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    files.write_whole(path, "newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_keeps_its_owner_where_that_may_be(tmp_path):
    path = tmp_path / "a"
    path.touch()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may give a file away")
    os.chown(path, 1234, 1234)
    files.write_whole(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1234)


def test_what_is_no_file_is_not_replaced(tmp_path):
    folder, pipe, circle = tmp_path / "folder", tmp_path / "pipe", tmp_path / "circle"
    folder.mkdir()
    circle.symlink_to(circle)
    refused = {folder: IsADirectoryError, circle: OSError}
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
        refused[pipe] = OSError
    before = sorted(os.listdir(tmp_path))
    for path, error in refused.items():
        with pytest.raises(error):
            files.write_whole(path, "new")
    assert sorted(os.listdir(tmp_path)) == before
    assert circle.is_symlink()
    with pytest.raises(FileNotFoundError):
        files.write_whole(tmp_path / "gone" / "a", "new")


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "𝔞" * 63])
def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path, name):
    files.write_whole(tmp_path / name, "new")
    assert os.listdir(tmp_path) == [name]


def test_a_file_that_is_held_for_a_moment_is_replaced_after_it(tmp_path, monkeypatch):
    path, replace, held = tmp_path / "a", os.replace, [True, True]
    path.write_text("old")

    def busy(*names):
        if held and held.pop():
            raise PermissionError(errno.EACCES, "in use")  # as Windows says it
        replace(*names)

    monkeypatch.setattr(os, "replace", busy)
    files.write_whole(path, "new")
    assert path.read_text() == "new"


def test_on_windows_a_byte_is_locked_instead(tmp_path, monkeypatch):
    taken = []

    def locking(descriptor, mode, size):
        if taken:
            raise PermissionError(errno.EACCES, "Permission denied")
        taken.append((mode, size))

    monkeypatch.setitem(sys.modules, "fcntl", None)  # as if it were not there
    windows = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    with (tmp_path / "a").open("wb") as file:
        assert files._locked(file.fileno()) is True
        assert files._locked(file.fileno()) is False
    assert taken == [(2, 1)]
    files.write_whole(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"


COUNTER = """
import sys
from pathlib import Path
from jensengap.files import alone, write_whole
path = Path(sys.argv[1])
for _ in range(100):
    with alone(path):
        write_whole(path, str(int(path.read_text()) + 1))
"""


@pytest.mark.parametrize("lockable", ["folder", "file beside it"])
def test_what_several_read_and_write_alone_counts_them_all(tmp_path, lockable):
    path = tmp_path / "count"
    path.write_text("0")
    code = COUNTER
    if lockable != "folder":  # as on Windows
        code = NO_FOLDER + COUNTER
    counters = [
        subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)
    ]
    assert [each.wait() for each in counters] == [0, 0, 0]
    assert path.read_text() == "300"
    left = ["count"] if lockable == "folder" else [".count.lock", "count"]
    assert sorted(os.listdir(tmp_path)) == left


NO_FOLDER = """
import os
plain = os.open
def refusing(path, *flags):
    if os.path.isdir(path):
        raise PermissionError(13, "a folder is not opened")
    return plain(path, *flags)
os.open = refusing
"""


def test_who_waits_too_long_is_told_and_a_killed_holder_holds_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    path = tmp_path / "a"
    code = (
        "import sys; from pathlib import Path; from jensengap.files import alone\n"
        "with alone(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], **PIPES) as holder:
        holder.stdout.readline()
        with pytest.raises(TimeoutError, match="another process"), files.alone(path):
            pass
        holder.kill()
    with files.alone(Path(path)):
        assert os.listdir(tmp_path) == []
