"""A checkpoint comes back as it was written, or with a sentence that says why not."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from jensengap.experiments import checkpoint

OF = {"objective": "iwae", "seed": 0}
STATE = {"model": {"w": torch.arange(3.0)}, "history": {"elbo": [-1.5]}, "position": 7}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, OF, STATE)
    return path


def test_what_was_kept_comes_back(path):
    back = checkpoint.load(path, OF)
    assert torch.equal(back["model"].pop("w"), STATE["model"]["w"])
    assert back == {**STATE, "model": {}}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("lost", [1, 100, 1000])
def test_a_torn_file_is_refused_and_left(path, lost):
    content = path.read_bytes()[:-lost]
    path.write_bytes(content)
    with pytest.raises(checkpoint.CheckpointError, match=r"is torn.*delete it"):
        checkpoint.load(path, OF)
    assert path.read_bytes() == content


@pytest.mark.parametrize("at", [40, 300, -1])
def test_one_changed_byte_is_noticed(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(checkpoint.CheckpointError):
        checkpoint.load(path, OF)


@pytest.mark.parametrize("cut", [24, 30])
def test_a_file_torn_in_its_head_is_torn(path, cut):
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(checkpoint.CheckpointError, match="is torn"):
        checkpoint.load(path, OF)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 another program's"])
def test_another_programs_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(checkpoint.CheckpointError, match="is no checkpoint"):
        checkpoint.load(path, OF)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({**OF, "objective": "vae"}, "wanted objective=vae, got objective=iwae;"),
        ({"objective": "iwae"}, "wanted seed=None, got seed=0;"),
        ({**OF, "k": 5}, "wanted k=5, got k=None;"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_by_what_differs(path, of, message):
    with pytest.raises(checkpoint.CheckpointError, match=message):
        checkpoint.load(path, of)


def test_a_failure_while_writing_leaves_the_old_checkpoint(path, monkeypatch):
    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, OF, {"position": 8})
    assert checkpoint.load(path, OF)["position"] == 7
    monkeypatch.undo()
    checkpoint.save(path, OF, {"position": 9})
    assert checkpoint.load(path, OF)["position"] == 9
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_kill_in_the_middle_of_writing_leaves_the_old_checkpoint(path):
    # the new file has all its bytes, but not yet its name
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from jensengap.experiments import checkpoint\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"checkpoint.save(Path(sys.argv[1]), {OF}, {{'position': 8}})\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=on_path())
    assert done.returncode == -signal.SIGKILL
    assert checkpoint.load(path, OF)["position"] == 7


def on_path():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
