"""An exercise is a form where the book is built, and a mark in a live kernel."""

import pytest
from questions import AREA, SIDE
from shell import kernel

from jensengap import check, exercises
from jensengap.exercises import chapters, sheet


@pytest.fixture(autouse=True)
def two_questions(monkeypatch):
    known = {each.label: each for each in (AREA, SIDE)}
    monkeypatch.setattr(chapters, "every", lambda: known)
    monkeypatch.setattr(sheet, "_answers", {})
    monkeypatch.delenv("JENSENGAP_STATIC", raising=False)


def shown(folder, *words):
    with kernel(folder) as cell:
        exercises.mark(*words)
    (output,) = cell.outputs
    return output.data


def test_an_open_exercise_is_a_form_in_the_built_page(tmp_path, monkeypatch):
    monkeypatch.setenv("JENSENGAP_STATIC", "1")
    data = shown(tmp_path, AREA.label)
    assert data["text/html"].startswith('<form class="jg-ask"')
    assert data[exercises.MIME] == {"label": AREA.label, "state": "not yet"}


def test_an_open_exercise_asks_in_a_live_kernel(tmp_path):
    data = shown(tmp_path, AREA.label)
    assert "<form" not in data["text/html"]
    assert AREA.ask in data["text/plain"]
    assert f'exercises.hint("{AREA.label}")' in data["text/html"].replace("&quot;", '"')


def test_an_answer_is_marked_in_one_line(tmp_path):
    said = shown(tmp_path, AREA.label, 6.0)["text/plain"]
    assert said.startswith(f"✓ ex-test-area · Right. {AREA.why} The book's solution is")
    said = shown(tmp_path, AREA.label, 5.0)["text/plain"]
    assert said == "✗ ex-test-area · That is a sum."


def test_outside_a_kernel_it_prints(capsys):
    assert exercises.mark("test-side", "b").state == "right"
    assert capsys.readouterr().out.startswith("✓ ex-test-side · Right. It never")


def test_an_unknown_exercise_is_a_sentence_with_names_that_look_alike(capsys):
    assert exercises.mark("ex-test-aera", 6.0) is None
    exercises.hint("ex-nothing-like-it")
    first, second = capsys.readouterr().out.splitlines()
    assert "no exercise 'ex-test-aera'; similar are ex-test-area" in first
    assert "no exercise 'ex-nothing-like-it'" in second


class Odd:
    """Has nothing that can be asked, and says so by an error of its own."""

    def __getattribute__(self, name):
        raise ZeroDivisionError(name)


def test_an_object_that_cannot_be_read_is_a_sentence(capsys):
    assert exercises.mark(AREA.label, Odd()) is None
    assert "what came cannot be read" in capsys.readouterr().out


def test_a_decimal_comma_in_the_call_is_explained():
    mark = exercises.mark(AREA.label, 6, 5)
    assert "a comma makes two numbers of one" in mark.said


@pytest.mark.parametrize("label", [" EX-TEST-AREA ", "Test-Area"])
def test_a_label_may_be_written_in_capitals_and_with_blanks(label):
    assert exercises.mark(label, 6.0).state == "right"


@pytest.mark.parametrize("label", ["", "x" * 10_000])
def test_whatever_is_no_label_is_a_short_sentence(label, capsys):
    assert exercises.mark(label, 6.0) is None
    assert "there is no exercise" in (said := capsys.readouterr().out)
    assert len(said) < 300


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_is_no_path_is_a_sentence(path, capsys):
    exercises.save_answers(path)
    exercises.verify_answers(path)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_hints_are_numbered_where_there_are_several(capsys):
    exercises.hint(AREA.label)
    exercises.hint(SIDE.label)
    said = capsys.readouterr().out
    assert said == "1. Count unit squares.\n2. A product.\nRead the name.\n"


def test_a_solution_that_is_wrong_or_open_is_an_error():
    for answer in (5.0, ..., "six"):
        with pytest.raises(check.CheckError, match="ex-test-area is not solved"):
            exercises.solution(AREA.label, answer)
    with pytest.raises(ValueError, match="no exercise"):
        exercises.solution("ex-none", 6.0)


def test_a_solution_is_no_answer_of_the_readers(tmp_path, capsys):
    exercises.solution(AREA.label, 6.0)
    exercises.mark(SIDE.label, "a")
    path = tmp_path / "answers.json"
    exercises.save_answers(path)
    exercises.verify_answers(path)
    *_, saved, verified = capsys.readouterr().out.splitlines()
    assert (
        saved
        == verified
        == f"{path}: 0 of 1 answers are right; not right: {SIDE.label}"
    )


def test_a_bad_file_is_a_sentence(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    exercises.save_answers(tmp_path / "mine.txt")
    exercises.verify_answers(tmp_path / "none.json")
    exercises.save_answers(tmp_path / "no" / "folder.json")
    said = capsys.readouterr().out.splitlines()
    assert "wanted a file as exercises.save_answers writes it" in said[0]
    assert "there is none" in said[1]
    assert "cannot be written (No such file or directory); make its folder" in said[2]
    assert (tmp_path / "mine.txt").read_text() == "mine"
