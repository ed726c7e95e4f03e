"""Answers go into a file and come back, and a file that was edited is refused."""

import errno
import json
import os
import subprocess
import sys

import pytest
from questions import AREA, SIDE

from jensengap.exercises import chapters, marking, sheet


@pytest.fixture(autouse=True)
def two_questions(monkeypatch):
    known = {each.label: each for each in (AREA, SIDE)}
    monkeypatch.setattr(chapters, "every", lambda: known)
    monkeypatch.setattr(sheet, "_answers", {})
    monkeypatch.setattr(sheet, "_written", {})


def answered(question, answer):
    sheet.note(marking.mark(question, answer))


def test_what_was_saved_is_verified(tmp_path):
    answered(AREA, lambda a, b: a * b)
    answered(SIDE, "above")
    path = tmp_path / "answers.json"
    saved = sheet.save(path)
    assert saved == sheet.Sheet((AREA.label,), (SIDE.label,))
    assert sheet.verify(path) == saved
    assert str(saved) == "1 of 2 answers are right; not right: ex-test-side"
    assert [each.name for each in tmp_path.iterdir()] == ["answers.json"]


def test_the_last_answer_counts_and_an_open_one_changes_nothing(tmp_path):
    for answer in (5.0, 6.0, ..., "six"):
        answered(AREA, answer)
    assert sheet.save(tmp_path / "a.json").right == (AREA.label,)


def test_chapters_share_a_file(tmp_path, monkeypatch):
    path = tmp_path / "answers.json"
    answered(AREA, 5.0)
    sheet.save(path)
    monkeypatch.setattr(sheet, "_answers", {})  # another kernel
    answered(SIDE, "b")
    assert sheet.save(path) == ((SIDE.label,), (AREA.label,))
    answered(AREA, 6.0)
    assert len(sheet.save(path).right) == 2


def test_the_file_names_nobody_and_no_time(tmp_path):
    answered(AREA, 6.0)
    sheet.save(tmp_path / "answers.json")
    content = json.loads((tmp_path / "answers.json").read_text())
    assert set(content) == {"format", "answers", "checksum"}
    assert content["answers"] == {AREA.label: 6.0}


def edited(content):
    content["answers"][AREA.label] = 6.0


def renamed(content):
    content["format"] = "answers of somebody else"


def without_checksum(content):
    del content["checksum"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited, "was changed afterwards"),
        (renamed, "not the format"),
        (without_checksum, "no checksum"),
    ],
)
def test_a_file_that_was_edited_by_hand_is_refused_and_stays(tmp_path, change, words):
    answered(AREA, 5.0)
    path = tmp_path / "answers.json"
    sheet.save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    before = path.read_bytes()
    for use in (sheet.verify, sheet.save):
        with pytest.raises(ValueError, match=words):
            use(path)
    assert path.read_bytes() == before


DEEP = "[" * 100_000
LONG = '{"a": ' + "1" * 5000 + "}"
LONE = json.dumps({"format": sheet.FORMAT, "a": "\ud800", "checksum": ""})


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "\x00", "some notes of my own", DEEP, LONG, LONE]
)
def test_another_file_is_refused_and_not_overwritten(tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_text(text)
    answered(AREA, 6.0)
    for use in (sheet.verify, sheet.save):
        with pytest.raises(ValueError, match=r"notes\.txt: wanted"):
            use(path)
    assert path.read_text() == text


def test_a_true_checksum_does_not_make_a_wrong_answer_right(tmp_path):
    body = {"format": sheet.FORMAT, "answers": {AREA.label: 5.0}}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(body | {"checksum": sheet._checksum(body)}))
    assert sheet.verify(path).right == ()


@pytest.mark.parametrize(
    "answers",
    [
        {"ex-test-none": 1.0},
        {AREA.label: "x"},
        [1],
        {AREA.label: [[[]]]},
        {AREA.label: 10**400},
        {AREA.label: True},
        {AREA.label: list(range(200_000))},
        {"test-area": 6.0},
        {AREA.label: None},
        {SIDE.label: ["below"]},
    ],
)
def test_what_cannot_be_marked_is_refused_in_a_short_sentence(tmp_path, answers):
    body = {"format": sheet.FORMAT, "answers": answers}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(body | {"checksum": sheet._checksum(body)}))
    with pytest.raises(ValueError, match="wanted a file as exercises") as refused:
        sheet.verify(path)
    assert str(path) in str(refused.value)
    assert len(str(refused.value)) < 500


def test_a_neighbour_and_a_link_stay_what_they_are(tmp_path):
    answered(AREA, 6.0)
    path, link = tmp_path / "answers.json", tmp_path / "link.json"
    (tmp_path / "answers.json.new").write_text("notes")
    link.symlink_to(path)
    sheet.save(link)
    assert link.is_symlink()
    assert sheet.verify(path).right == (AREA.label,)
    assert (tmp_path / "answers.json.new").read_text() == "notes"


def test_a_file_that_an_editor_marked_as_utf_8_is_sound(tmp_path):
    answered(AREA, 6.0)
    path = tmp_path / "answers.json"
    sheet.save(path)
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert sheet.verify(path).right == (AREA.label,)


def test_a_pattern_stands_for_its_files(tmp_path, capsys):
    answered(AREA, 6.0)
    for name in ("a.json", "b.json"):
        sheet.save(tmp_path / name)
    assert sheet.main([str(tmp_path / "*.json")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_many_files_are_verified_by_one_command(tmp_path, capsys):
    answered(AREA, 6.0)
    good, missing = tmp_path / "good.json", tmp_path / "missing.json"
    sheet.save(good)
    assert sheet.main([str(good)]) == 0
    assert sheet.main([str(missing), str(good)]) == 1
    said = capsys.readouterr().out
    assert said.count("1 of 1 answers are right") == 2
    assert "there is none; write one with" in said
    assert sheet.main([]) == 2


def test_what_a_full_disk_refuses_is_saved_when_there_is_room(tmp_path, monkeypatch):
    answered(AREA, 5.0)
    path = tmp_path / "answers.json"
    sheet.save(path)
    before, sync = path.read_bytes(), os.fsync
    answered(AREA, 6.0)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"No space left.*; make room"):
            sheet.save(path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["answers.json"]
    monkeypatch.setattr(os, "fsync", sync)
    assert sheet.save(path).right == (AREA.label,)


def test_a_later_answer_of_another_kernel_stays(tmp_path, monkeypatch):
    path = tmp_path / "answers.json"
    answered(AREA, 5.0)
    sheet.save(path)
    mine = sheet._answers, sheet._written
    monkeypatch.setattr(sheet, "_answers", {})  # another kernel
    monkeypatch.setattr(sheet, "_written", {})
    answered(AREA, 6.0)
    sheet.save(path)
    monkeypatch.setattr(sheet, "_answers", mine[0])
    monkeypatch.setattr(sheet, "_written", mine[1])
    answered(SIDE, "below")
    assert len(sheet.save(path).right) == 2
    answered(AREA, 5.0)  # answered again, and so the last
    assert sheet.save(path).wrong == (AREA.label,)
    path.unlink()
    assert len(sheet.save(path).right + sheet.save(path).wrong) == 2


KERNEL = """
import sys
from jensengap.exercises import chapters, marking, sheet
from jensengap.exercises.question import Choice
known = list(chapters.every().values())
for question in known[int(sys.argv[2])::4]:
    right = question.right if isinstance(question, Choice) else question.answer
    sheet.note(marking.mark(question, right))
    sheet.save(sys.argv[1])
"""


def test_kernels_that_save_at_once_lose_no_answer(tmp_path, monkeypatch):
    monkeypatch.undo()  # all questions
    path = tmp_path / "answers.json"
    kernels = [
        subprocess.Popen([sys.executable, "-c", KERNEL, str(path), str(number)])
        for number in range(4)
    ]
    assert [each.wait() for each in kernels] == [0] * 4
    assert len(sheet.verify(path).right) == len(chapters.every())
    assert os.listdir(tmp_path) == ["answers.json"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone/answers.json", "make its folder"),
        ("folder", "it is a folder: add the name of a file"),
        ("circle", "no name for a file|cannot be written"),
        ("file/answers.json", "cannot be written"),
        ("~nobody-of-this-name/a.json", "no name for a file"),
        ("a\0b", "no name for a file"),
    ],
)
def test_a_place_where_no_file_can_be_is_named_with_what_to_do(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    answered(AREA, 6.0)
    with pytest.raises(ValueError, match=words):
        sheet.save(name if name.startswith("~") else f"{tmp_path}/{name}")
    assert sheet.save(tmp_path / "answers.json").right == (AREA.label,)
