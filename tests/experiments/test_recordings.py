"""A recording comes back as it was written, and what has another shape is refused."""

import json
import subprocess
import sys

import pytest

from jensengap.experiments import record, recordings

FILES = sorted(recordings.FOLDER.glob("*.json"))
RECORDED = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
EXPERIMENTS = pytest.mark.parametrize("name", record.EXPERIMENTS)
# what no experiment of record.py repeats: runs of hours, and a machine's speed
OTHERS = {"iwae-table", "performance", "scale"}
RUNS = [{"sides": n, "seed": s, "seen": [s]} for n in (4, 6) for s in (0, 1)]
DICE = recordings.Recording("How many?", {"cores": 2}, {"python": "3"}, RUNS)


@pytest.fixture
def dice(tmp_path, monkeypatch):
    """Put a small recording where the package looks for its own."""
    recordings.write(tmp_path / "dice.json", DICE)
    monkeypatch.setattr(recordings, "FOLDER", tmp_path)
    return recordings.load("dice")


def test_a_recording_comes_back_as_it_was_written(dice):
    assert dice == DICE


def test_a_run_stands_on_a_line_of_its_own(dice, tmp_path):
    lines = (tmp_path / "dice.json").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 4 + 1
    assert [json.loads(line.rstrip(",")) for line in lines[1:-1]] == RUNS


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_and_the_old_file_stands(
    dice, tmp_path, number
):
    bad = DICE._replace(runs=[{"sides": 8, "mean": [number]}])
    with pytest.raises(ValueError, match=r"wanted finite numbers, got {'sides': 8,"):
        recordings.write(tmp_path / "dice.json", bad)
    assert recordings.load("dice") == DICE
    assert [path.name for path in tmp_path.iterdir()] == ["dice.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": ', r"is torn: wanted JSON, got .*; make it afresh"),
        ("[]", r"no recording: wanted {'question': 'str', .*}, got list;"),
        ('{"nll": 90.0}', r"no recording: wanted .*, got {'nll': 'float'};"),
        ('{"question": "?", "machine": {}, "versions": {}, "runs": []}',
         r"'runs': 'list of dict'}, got .*'runs': 'list of nothing'}; name another"),
        ('{"question": "?", "machine": "fast", "versions": {}, "runs": [{}]}',
         r"got .*'machine': 'str'"),
        ('{"question": "?", "machine": {}, "versions": {}, "runs": [{}, 1]}',
         r"got .*'list of dict and int'"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        recordings.read(path)
    assert str(path) in str(caught.value)


def test_a_recording_of_no_run_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="list of nothing"):
        recordings.write(tmp_path / "a.json", DICE._replace(runs=[]))
    assert not list(tmp_path.iterdir())


def test_runs_are_selected_by_all_of_the_settings_named(dice):
    assert [run["seed"] for run in dice.where(sides=6)] == [0, 1]
    assert dice.where(sides=4, seed=1) == [{"sides": 4, "seed": 1, "seen": [1]}]
    assert dice.where(seen=[0]) == [RUNS[0], RUNS[2]]


def test_a_setting_that_was_not_recorded_is_answered_with_those_that_were(dice):
    with pytest.raises(KeyError, match=r"'sides': 5.*there are sides: 4, 6"):
        dice.where(sides=5)
    with pytest.raises(KeyError, match="'edges': None"):
        dice.where(edges=None)


def test_an_unknown_name_is_answered_with_the_known_ones(dice):
    with pytest.raises(ValueError, match=r"'cards'; there are \['dice'\]"):
        recordings.load("cards")


def test_a_folder_beside_the_recordings_is_none(dice, tmp_path):
    (tmp_path / "networks").mkdir()
    with pytest.raises(ValueError, match=r"'networks'; there are \['dice'\]"):
        recordings.load("networks")


def test_the_machine_is_described_and_what_else_is_known_added():
    found = recordings.machine(device="cpu")
    assert list(found) == ["processor", "architecture", "cores", "system", "device"]
    assert found["cores"] >= 1


def test_versions_are_those_of_python_and_of_what_is_named():
    found = recordings.versions("numpy")
    assert list(found) == ["python", "numpy"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_recordings_are_read_and_written_without_what_is_not_pythons_own():
    code = "import sys; import jensengap.experiments.recordings; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy"} & {*done.stdout.split()}


@RECORDED
def test_what_comes_with_the_package_is_as_it_would_be_written(path, tmp_path):
    recordings.write(tmp_path / "again.json", recordings.read(path))
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert path.stat().st_size < 300_000


@RECORDED
def test_a_recording_says_why_and_with_what_it_was_made(path):
    recording = recordings.read(path)
    assert recording.question.endswith("?")
    assert recording.machine
    assert set(recording.versions) >= {"python", "torch"}


def test_each_experiment_has_a_recording_and_each_recording_an_experiment():
    assert {path.stem for path in FILES} - OTHERS == set(record.EXPERIMENTS)


@EXPERIMENTS
def test_a_recording_holds_every_setting_with_every_seed_once(name):
    calls = list(record.EXPERIMENTS[name].calls())
    found = recordings.load(name).runs
    assert len(found) == len(calls)
    for run, call in zip(found, calls, strict=True):
        assert call.items() <= run.items()


@EXPERIMENTS
def test_at_least_five_seeds_stand_behind_each_setting(name):
    assert len(set(record.EXPERIMENTS[name].seeds)) >= 5
