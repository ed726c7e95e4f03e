"""The command trains as one process or two, survives SIGKILL, and refuses in words."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from jensengap.experiments import checkpoint, recordings, reproduce, resumable

# this process moves its seeds, the ones that it starts do not
pytestmark = pytest.mark.exact_seeds(reason="a run here is compared with one elsewhere")
RUN = ["-m", "jensengap.experiments.reproduce", "iwae", "2", "--digits", "embedded"]
SMALL = ["--epochs", "1", "--samples", "5", "--device", "cpu"]
NAME = "iwae-k2-seed0"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "JENSENGAP_QUIET": "1",
    "OMP_NUM_THREADS": "1",
    "GLOO_SOCKET_IFNAME": "lo",
}


def torchrun(num_processes, out, *words):
    # port 0: any that is free
    start = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        str(num_processes),
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
    ]
    return subprocess.run(
        [sys.executable, *start, *RUN, *SMALL, "--out", str(out), *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def result(out):
    (record,) = recordings.read(out / f"{NAME}.json").runs
    return record, load_file(out / f"{NAME}.safetensors")


@pytest.fixture(scope="module", autouse=True)
def _denormal_numbers_afterwards():
    """Undo what the command sets in its process, which is this one."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of a run in this process, not interrupted."""
    out = tmp_path_factory.mktemp("alone")
    os.environ["JENSENGAP_QUIET"] = "1"
    reproduce.main([*RUN[2:], *SMALL, "--out", str(out)])
    return out


def test_two_processes_learn_what_one_learns_from_the_same_batch(alone, tmp_path):
    done = torchrun(2, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("test NLL") == 1
    (two, weights), (one, wanted) = result(tmp_path), result(alone)
    machine = recordings.read(tmp_path / f"{NAME}.json").machine
    assert machine["num_processes"] == 2
    assert two["train"]["elbo"] == pytest.approx(one["train"]["elbo"], rel=1e-5)
    assert two["train"]["iwae"] == pytest.approx(one["train"]["iwae"], rel=1e-5)
    assert two["nll"] == pytest.approx(one["nll"], rel=1e-4)
    for name, tensor in wanted.items():
        assert torch.allclose(weights[name], tensor, atol=2e-4), name


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(alone, tmp_path):
    words = [*RUN, *SMALL, "--out", str(tmp_path), "--minutes", "0"]
    command, path = [sys.executable, *words], tmp_path / f"{NAME}.checkpoint"
    first = subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True)
    try:
        while not path.exists() and first.poll() is None:
            time.sleep(0.002)
    finally:
        first.kill()
    assert first.wait() == -signal.SIGKILL
    assert path.exists()
    assert not (tmp_path / f"{NAME}.json").exists()
    reproduce.main(words[2:])
    (record, _), (wanted, _) = result(tmp_path), result(alone)
    assert record["num_resumed"] == 1
    same = ["sha256", "nll", "test_elbo", "train"]
    assert [record[name] for name in same] == [wanted[name] for name in same]


def test_asked_again_it_says_what_came_of_it(alone, capsys):
    before = result(alone)[0]
    reproduce.main([*RUN[2:], *SMALL, "--out", str(alone)])
    assert f"test NLL {before['nll']:.2f}" in capsys.readouterr().out
    assert result(alone)[0] == before


def test_a_finished_run_of_other_settings_is_not_overwritten(alone):
    before = (alone / f"{NAME}.json").read_bytes()
    with pytest.raises(SystemExit, match=r"of another run: wanted max_rate=0\.01"):
        reproduce.main([*RUN[2:], *SMALL, "--out", str(alone), "--max-rate", ".01"])
    assert (alone / f"{NAME}.json").read_bytes() == before


def test_a_torn_checkpoint_is_named_and_left(monkeypatch, tmp_path):
    path = tmp_path / f"{NAME}.checkpoint"
    checkpoint.save(path, {}, {"a": torch.zeros(100)})
    path.write_bytes(path.read_bytes()[:-1])
    before = path.read_bytes()
    said = refused(monkeypatch, tmp_path, *RUN[2:], *SMALL, "--out", str(tmp_path))
    assert f"{path} is torn" in said
    assert path.read_bytes() == before


def test_the_options_are_the_settings_of_the_record(alone, tmp_path):
    words = ["--warm-samples", "3", "--warm-epochs", "1", "--epochs", "2"]
    words += ["--optimizer", "soap", "--gradient", "doubly"]
    asked = [*RUN[2:], *SMALL, "--out", str(tmp_path), "--batch-size", "400"]
    reproduce.main([*asked, *words])
    record, before = result(tmp_path)[0], result(alone)[0]
    assert "SOAP" in record["schedule"]
    settings, wanted = (
        {name: each[name] for name in resumable.Settings._fields}
        for each in (record, before)
    )
    changed = {"warm_samples": 3, "warm_epochs": 1, "num_epochs": 2, "batch_size": 400}
    changed |= {"optimizer": "soap", "gradient": "doubly"}
    assert settings == {**wanted, **changed}


def refused(monkeypatch, tmp_path, *words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        reproduce.main(list(words))
    return str(caught.value)


def test_processes_that_do_not_divide_the_batch_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "3")
    said = refused(monkeypatch, tmp_path, "vae", "1")
    assert "got 3 processes for 100 images; start 2, or take a batch of 99" in said
    assert not list(tmp_path.iterdir())


def test_a_gpu_where_there_is_none_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said = refused(monkeypatch, tmp_path, "vae", "1", "--device", "cuda")
    assert "wants a GPU of its own, got 0" in said


def test_a_data_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("JENSENGAP_DATA", str(tmp_path / "none"))
    said = refused(monkeypatch, tmp_path, "vae", "1")
    assert "JENSENGAP_DATA must name a folder" in said
    assert str(tmp_path / "none") in said
    assert not list(tmp_path.iterdir())


def test_a_truncated_file_is_named_and_left(monkeypatch, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (raw / stem).write_bytes(b"\0\0\x08\x03 the first bytes")
    monkeypatch.setenv("JENSENGAP_DATA", str(tmp_path))
    said = refused(monkeypatch, tmp_path, "vae", "1")
    assert f"{raw / 'train-images-idx3-ubyte'} is truncated or corrupted" in said
    assert len(list(raw.iterdir())) == 2


def test_without_folder_and_network_it_says_how_to_get_the_data(monkeypatch, tmp_path):
    def no_network(root, split):
        raise ConnectionError("MNIST could not be downloaded; is there a network?")

    monkeypatch.delenv("JENSENGAP_DATA", raising=False)
    monkeypatch.setattr(reproduce.full, "full_mnist", no_network)
    said = refused(monkeypatch, tmp_path, "vae", "1")
    assert "is there a network?. JENSENGAP_DATA may name another folder" in said


def test_without_safetensors_it_stops_before_it_has_trained(monkeypatch, tmp_path):
    monkeypatch.setattr(reproduce, "find_spec", lambda _: None)
    said = refused(monkeypatch, tmp_path, "vae", "1", "--digits", "embedded")
    assert "pip install safetensors" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "num_epochs must be at least 1, got 0"),
        (["--batch-size", "0"], "batch_size must be at least 1, got 0"),
        (["--batch-size", "4000"], "needs more than 10, got 1"),
        (["--max-rate", "nan"], "max_rate must be positive"),
        (["--samples", "0"], "eval_samples must be at least 1, got 0"),
        (["--warm-samples", "0"], "warm_samples must be at least 1, got 0"),
        (["--warm-epochs", "1"], "must leave an epoch for k samples, got 1 of 1"),
    ],
)
def test_numbers_that_make_no_run_are_refused(monkeypatch, tmp_path, words, message):
    words = ["vae", "1", "--digits", "embedded", "--epochs", "1", *words]
    assert message in refused(monkeypatch, tmp_path, *words)


def test_every_option_says_what_it_is():
    for action in reproduce.parser()._actions:
        assert action.help or action.choices
