"""A file is written whole, or the old one stays and nothing lies beside it."""

import os
import stat

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
