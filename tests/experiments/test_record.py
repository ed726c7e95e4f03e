"""The tool that records runs each setting with each seed, and writes all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from jensengap.experiments import record, recordings


def roll(sides, seed):
    if sides < 1:
        raise ValueError("a die has a side")
    torch.manual_seed(seed)
    return {"seen": torch.randint(sides, ()).item()}


@pytest.fixture
def dice(monkeypatch):
    """Make an experiment of three seeds, and as many settings as it is given."""

    def make(*sides):
        settings = [{"sides": n} for n in sides]
        experiment = record.Experiment("Which face?", roll, settings, range(3))
        monkeypatch.setitem(record.EXPERIMENTS, "dice", experiment)

    return make


@pytest.fixture
def pool():
    """Work in this process: what is tested here is what is run and written."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_each_setting_is_run_with_each_seed_in_order(dice, pool, tmp_path):
    dice(4, 20)
    path = record.record("dice", pool, tmp_path)
    found = recordings.read(path)
    order = [(run["sides"], run["seed"]) for run in found.runs]
    assert order == [(4, 0), (4, 1), (4, 2), (20, 0), (20, 1), (20, 2)]
    assert found.question == "Which face?"
    assert found.machine["threads_a_process"] == 1
    assert found.versions["torch"] == torch.__version__


def test_an_experiment_that_fails_leaves_the_old_recording(dice, pool, tmp_path):
    (tmp_path / "dice.json").write_text("old")
    dice(6, 0)
    with pytest.raises(ValueError, match="a die has a side"):
        record.record("dice", pool, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dice.json"]
    assert (tmp_path / "dice.json").read_text() == "old"


def test_an_unknown_experiment_is_refused_before_anything_runs():
    with pytest.raises(SystemExit, match="no experiment is called cards; there are"):
        record.main("cards")
