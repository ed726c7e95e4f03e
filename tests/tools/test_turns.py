"""Tests are handed out longest first, and files as a whole."""

from types import SimpleNamespace

import turns
from turns import SPREAD, UNKNOWN, in_turn, part, timed

from tools.book.toc import ROOT

ONE, TWO = (f"{SPREAD[0]}::test[{page}]" for page in ("one", "two"))


def test_files_are_parts_and_of_some_files_each_test():
    assert part("tests/a/test_b.py::test_c[x::y]") == "tests/a/test_b.py"
    assert part(ONE) == ONE
    assert all((ROOT / file).is_file() for file in SPREAD)


def test_the_longest_parts_come_first_and_stay_whole_and_in_order():
    tests = ["b.py::1", ONE, "c.py::1", "c.py::2", TWO, "a.py::1", "a.py::2"]
    seconds = {"b.py": 1.0, ONE: 2.0, "c.py": UNKNOWN - 1, TWO: 30.0}
    found = [tests[at] for at in in_turn(tests, seconds)]
    assert found == [TWO, "a.py::1", "a.py::2", "c.py::1", "c.py::2", ONE, "b.py::1"]
    assert in_turn(tests, {}) == list(range(len(tests)))


def report(nodeid, duration, outcome="passed"):
    return SimpleNamespace(nodeid=nodeid, duration=duration, outcome=outcome)


def test_seconds_of_a_part_are_added_up_and_one_left_out_keeps_its_own():
    found = timed(
        [report("a.py::1", 1), report("a.py::2", 2, "skipped"), report(ONE, 3),
         report(ONE, 1), report(TWO, 0, "skipped")]
    )  # fmt: skip
    assert found == {"a.py": 3, ONE: 4}


def test_chapters_begin_in_the_order_of_their_length_before_any_test_was_timed():
    known = turns.chapters_seconds()
    assert known
    (test,) = {each.split("::")[1].split("[")[0] for each in known}
    assert f"def {test}(" in (ROOT / SPREAD[0]).read_text(encoding="utf-8")


def test_seconds_that_cannot_be_read_are_none(monkeypatch, tmp_path):
    path = tmp_path / "seconds"
    monkeypatch.setattr(turns, "_path", lambda: path)
    assert turns.recorded_seconds() == {}
    path.write_text("{")
    assert turns.recorded_seconds() == {}
    path.write_text('{"a.py": 1.5}')
    assert turns.recorded_seconds() == {"a.py": 1.5}
