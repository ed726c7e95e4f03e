"""What make bench promises: peers take turns, and none is dropped without a word."""

import ast
import sys
from pathlib import Path

import pytest

from benchmarks import elbo, installed, race, run, turns
from benchmarks.results import Result, as_runs, fastest
from benchmarks.table import finish, simple, table
from benchmarks.worker import Failed, Worker
from jensengap.experiments import recordings

PEER = """
import sys
from pathlib import Path
import numpy as np
from benchmarks.elbo import Weights
{top}

DISTRIBUTIONS = ("numpy",)

class Training:
    def __init__(self, folder, seed):
        self.diary, self.epochs = Path(folder) / "diary", 0
        self.notes = {{"seed": seed}}

    def epoch(self):
        self.epochs += 1
        print("a library that prints")
        {step}
        with self.diary.open("a") as diary:
            diary.write("{name}")
        return 60

    def weights(self):
        def zero(i, o):
            return np.zeros((i, o)), np.zeros(o)
        return Weights(zero(4, 3), zero(3, 2), zero(3, 2), zero(2, 3), zero(3, 4),
                       "log_scale")
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Run peers made of a name and what goes on in their epochs."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def of(runs=1, patience=60.0, tops=None, **steps):
        for name, step in steps.items():
            top = (tops or {}).get(name, "")
            text = PEER.format(name=name, step=step, top=top)
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

        def worker(name: str, seed: int) -> Worker:
            log = tmp_path / f"{name}.txt"
            return Worker(name, tmp_path, log, seed=seed, patience=patience)

        def judge(path: Path) -> float:
            assert elbo.load(path).scale == "log_scale"
            return -100.0

        said = []
        found = turns.bench(
            steps,
            worker,
            judge,
            tmp_path,
            runs=runs,
            epochs=3,
            marks=(1, 3),
            say=said.append,
        )
        return found, said

    return of


def test_peers_take_turns_and_all_that_they_do_is_kept(bench, tmp_path):
    found, said = bench(runs=2, A="pass", B="pass")
    assert (tmp_path / "diary").read_text() == "ABABAB" * 2
    for result in found.values():
        assert (len(result.first), len(result.seconds), result.images) == (2, 4, 60)
        assert result.elbo == {"1": [-100.0] * 2, "3": [-100.0] * 2}
        assert len(result.imported) == len(result.megabytes) == 2
        assert result.megabytes[0] > 5
        assert result.notes == {"seed": 1}
        assert list(result.versions) == ["python", "numpy"]
        assert result.failed == ""
    assert said[-1] == "run 2 of 2, epoch 3 of 3"


def test_a_peer_that_is_not_installed_is_named_with_its_reason(bench):
    gone = "import no_such_library_anywhere"
    found, said = bench(runs=2, A="pass", B="pass", tops={"B": gone})
    reason = "ModuleNotFoundError: No module named 'no_such_library_anywhere'"
    assert said[0] == f"B: {reason}"
    assert (found["B"].failed, found["B"].first) == (reason, [])
    assert len(found["A"].first) == 2  # it goes on alone
    words = run.name_missing(found, {"no-such-library==1": "ERROR: none matches"})
    told = f"{reason} (no-such-library==1 was not installed: ERROR: none matches)"
    assert words == {"B": told}
    assert run.name_missing(found, {}) == {"B": reason}
    shown = table(found, {}, ours=(), ceiling="gemm", epochs=(1, 3))
    assert f"B: {reason}" in shown.splitlines()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("sys.stderr.write('out of luck\\n'); __import__('os')._exit(3)", "status 3"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "killed by signal 9"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("return float('nan'), object()", "TypeError"),
    ],
)
def test_a_peer_that_dies_is_named_and_the_others_go_on(bench, tmp_path, step, reason):
    found, said = bench(runs=2, A="pass", B=f"if self.epochs == 2: {step}", C="pass")
    assert reason in found["B"].failed
    assert "\n" not in found["B"].failed
    assert len(found["B"].first) == 1  # what it measured before is kept
    assert (tmp_path / "diary").read_text() == "ABC" + "AC" * 5
    assert any(line.startswith("B: ") for line in said)
    shown = table(found, {}, ours=(), ceiling="gemm", epochs=(1, 3))
    assert f"B: {found['B'].failed}" in shown.splitlines()


def test_last_words_of_a_dead_peer_are_its_reason(bench):
    step = "sys.stderr.write('out of luck\\n'); __import__('os')._exit(3)"
    found, _ = bench(B=step)
    assert found["B"].failed == "it died (exit status 3): out of luck"


def test_a_peer_that_says_nothing_is_not_waited_for_for_ever(bench):
    found, _ = bench(patience=3.0, B="__import__('time').sleep(600)")
    assert found["B"].failed == "no answer for 3 s"


def test_an_answer_that_is_no_json_is_refused(tmp_path):
    worker = Worker("x", tmp_path, tmp_path / "log")
    worker._command = [sys.executable, "-c", "print('hello')"]
    with pytest.raises(Failed, match="JSON, got b'hello'"):
        worker.begin()
    worker.end()


def test_weights_that_cannot_be_judged_are_the_peers_fault(tmp_path):
    class Calm:
        def ask(self, command):
            return {"saved": True}

    def judge(path):
        raise ValueError("of another size")

    with pytest.raises(Failed, match="judged: of another size"):
        turns._judge(Calm(), Result(), path=tmp_path, judge=judge, epoch=1)


def results() -> dict[str, Result]:
    return {
        "ours": Result([9.0], [1.0, 2.0, 4.0], 60, {"1": [-110.0, -112.0, -111.0]}),
        "slow": Result([9.0], [8.0], 60, {"1": [-120.0]}, [500], [1.5]),
        "fast": Result([9.0], [4.0], 60, {"1": [-121.0]}, [600], [2.5]),
        "gone": Result(failed="ModuleNotFoundError: No module named 'gone'"),
    }


def test_the_table_has_medians_ranges_and_ratios():
    ceilings = {"gemm": Result([1.0], [1.0], 60)}
    found = results()
    shown = table(found, ceilings, ours=("ours",), ceiling="gemm", epochs=(1,))
    lines = {line.split()[0]: " ".join(line.split()) for line in shown.splitlines()}
    assert "2.00 (1.00 to 4.00) 9.00 30 2.00 × 50% " in lines["ours"]
    assert "-111.00 (-112.00 to -110.00)" in lines["ours"]
    assert "0.50 × 12% -120.00 500 1.50" in lines["slow"]
    assert "1.00 × 25%" in lines["fast"]
    assert lines["gone:"] == "gone: ModuleNotFoundError: No module named 'gone'"
    assert "The fastest peer is fast; the ceiling is gemm." in shown


def test_a_table_of_nobody_still_says_why():
    gone = {"gone": results()["gone"]}
    shown = table(gone, {}, ours=(), ceiling="gemm", epochs=(1,))
    assert "No module named 'gone'" in shown
    assert fastest(gone, ()) == ""


def test_what_is_recorded_can_be_read_again(tmp_path):
    path = tmp_path / "recorded.json"
    found = results()
    found["ours"].versions = {"torch": "2"}
    run.record(path, as_runs(found, section="gan", epochs=3))
    recording = recordings.read(path)
    for each in recording.where(section="gan", epochs=3):
        fields = {name: each[name] for name in vars(Result())}
        assert Result(**fields) == found.pop(each["peer"])
    assert not found
    assert {"processor", "threads_a_process", "date"} <= recording.machine.keys()
    assert recording.versions == recordings.versions() | {"torch": "2"}
    assert [each.name for each in tmp_path.iterdir()] == ["recorded.json"]


@pytest.fixture
def runners(tmp_path, monkeypatch):
    """Lets made-up peers race; their ELBO is what their diary's length says."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def of(target, most, **steps):
        for name, step in steps.items():
            text = PEER.format(name=name, step=step, top="")
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

        def worker(name, seed):
            return Worker(name, tmp_path, tmp_path / f"{name}.txt", seed=seed)

        def judge(path):
            return -110.0 + len((tmp_path / "diary").read_text())

        return race.race(
            steps, worker, judge, tmp_path, target=target, most=most, say=print
        )

    return of


def test_a_race_ends_for_each_where_it_reaches_the_target(runners, tmp_path):
    found = runners(-107.0, 9, A="pass", B="pass")
    assert (tmp_path / "diary").read_text() == "ABAB"[:3] + "B"
    assert list(found["A"].elbo.values()) == [[-109.0], [-107.0]]
    assert found["A"].failed == found["B"].failed == ""
    assert race.seconds(found["A"]) == sum(found["A"].first + found["A"].seconds)


def test_who_does_not_reach_the_target_or_dies_is_named(runners):
    found = runners(0.0, 2, A="pass", B="raise ValueError('tired')")
    assert found["A"].failed == "0 nats not reached in 2 epochs"
    assert found["B"].failed == "ValueError: tired"
    assert "A: 0 nats not reached" in finish(found)


def test_the_short_table_has_rates_and_says_who_is_missing():
    shown = simple({**results(), "b": Result([2.0], [2.0], 8, scores=[-90.0])}, "turn")
    assert "-90.000" in shown
    assert "gone: ModuleNotFoundError" in shown


def test_an_unknown_peer_is_answered_with_those_that_there_are():
    with pytest.raises(SystemExit, match=r"no peer is called numpy; .*numpyro"):
        run.main("numpy")


def test_every_peer_has_a_file_and_what_it_is_made_of_is_pinned():
    text = (installed.ROOT / installed.PINS).read_text(encoding="utf-8")
    pinned = {line.split("==")[0] for line in installed.pins(text) if "==" in line}
    assert len(pinned) == len(installed.pins(text))
    folder = installed.ROOT / "benchmarks" / "peers"
    files = {path.stem: ast.parse(path.read_bytes()) for path in folder.glob("*.py")}
    assert files.keys() - {"__init__"} == {
        *run.PEERS,
        *run.CEILINGS,
        *run.EVALUATION,
        *run.GAN,
        *run.TIME_TO,
    }
    named = {
        literal.value
        for tree in files.values()
        for line in tree.body
        if isinstance(line, ast.Assign)
        and ast.unparse(line).startswith("DISTRIBUTIONS =")
        for literal in ast.walk(line.value)
        if isinstance(literal, ast.Constant)
    }
    assert {"pyro-ppl", "pythae", "numpyro", "jax", "keras"} < named <= pinned


def test_what_cannot_be_installed_is_named_and_the_rest_installed(tmp_path):
    wanted, python = tmp_path / "wanted.txt", tmp_path / "python"
    wanted.write_text("# peers\ngood==1\nbad==2  # one\n\nfine==3\n", encoding="utf-8")
    lines = [
        "#!/bin/sh",
        'case "$*" in *" -r "*) exit 1;; *bad*)',
        'echo "ERROR: No matching distribution" >&2',
        'echo "[notice] x" >&2; exit 1;; esac',
        f'echo "$*" >> {tmp_path}/done',
    ]
    python.write_text("\n".join(lines) + "\n", encoding="utf-8")
    python.chmod(0o755)
    missing = installed.install(python, wanted)
    assert missing == {"bad==2": "ERROR: No matching distribution"}
    done = (tmp_path / "done").read_text(encoding="utf-8").splitlines()
    assert [line.split()[-1] for line in done] == ["good==1", "fine==3"]
