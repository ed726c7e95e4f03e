"""What was recorded is what the experiments say, and can be selected by setting."""

import json
from pathlib import Path

import pytest

import jensengap
from jensengap.experiments import record, recordings

# of a machine's speed, which no seed repeats
MEASURED = {"scale"}
FOLDER = Path(jensengap.__file__).parent / "experiments" / "recorded"
FILES = sorted(each for each in FOLDER.glob("*.json") if each.stem not in MEASURED)
RECORDED = pytest.mark.parametrize("name", [path.stem for path in FILES])


@pytest.fixture
def dice(tmp_path, monkeypatch):
    """Put a small recording where the package looks for its own."""
    runs = [{"sides": n, "seed": s, "seen": [s]} for n in (4, 6) for s in (0, 1)]
    content = {"question": "How many?", "versions": {"python": "3"}, "runs": runs}
    (tmp_path / "dice.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(recordings, "_FOLDER", tmp_path)
    return recordings.load("dice")


def test_a_recording_comes_back_as_it_was_written(dice):
    assert dice.question == "How many?"
    assert dice.versions == {"python": "3"}
    assert len(dice.runs) == 4


def test_runs_are_selected_by_all_of_the_settings_named(dice):
    assert [run["seed"] for run in dice.where(sides=6)] == [0, 1]
    assert dice.where(sides=4, seed=1) == [{"sides": 4, "seed": 1, "seen": [1]}]


def test_a_setting_that_was_not_recorded_is_answered_with_those_that_were(dice):
    with pytest.raises(KeyError, match=r"'sides': 5.*'sides': \[4, 6\]"):
        dice.where(sides=5)


def test_an_unknown_name_is_answered_with_the_known_ones(dice):
    with pytest.raises(ValueError, match=r"'cards'; there are \['dice'\]"):
        recordings.load("cards")


def test_a_folder_beside_the_recordings_is_none(dice, tmp_path):
    (tmp_path / "networks").mkdir()
    with pytest.raises(ValueError, match=r"'networks'; there are \['dice'\]"):
        recordings.load("networks")


def test_each_experiment_has_a_recording_and_each_recording_an_experiment():
    assert {path.stem for path in FILES} == set(record.EXPERIMENTS)


@RECORDED
def test_a_recording_holds_every_setting_with_every_seed_once(name):
    calls = list(record.EXPERIMENTS[name].calls())
    found = recordings.load(name).runs
    assert len(found) == len(calls)
    for run, call in zip(found, calls, strict=True):
        assert call.items() <= run.items()


@RECORDED
def test_at_least_five_seeds_stand_behind_each_setting(name):
    assert len(set(record.EXPERIMENTS[name].seeds)) >= 5


@RECORDED
def test_a_recording_is_small_and_names_its_versions(name):
    path = next(path for path in FILES if path.stem == name)
    assert path.stat().st_size < 300_000
    assert set(recordings.load(name).versions) >= {"python", "torch"}
    assert recordings.load(name).question
