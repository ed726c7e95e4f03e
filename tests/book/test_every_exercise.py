"""Every exercise of the book: solutions pass, stubs wait, mistakes get their hints."""

import math
import re

import pytest
import recorded
from reading import CHAPTERS, cells, prose

from jensengap import exercises
from jensengap.exercises import chapters, marking
from jensengap.exercises.answer import truths
from jensengap.exercises.question import Choice, Number, instruction

HOME = {
    label: page
    for page in CHAPTERS
    for label in re.findall(r"\{exercise\}.*\n:label: (\S+)", prose(page))
}
QUESTIONS = chapters.every()
each = pytest.mark.parametrize("label", QUESTIONS)
each_mistake = pytest.mark.parametrize(
    ("label", "mistake"),
    [
        pytest.param(label, mistake, id=f"{label}-{i}")
        for label, question in QUESTIONS.items()
        if isinstance(question, Number)
        for i, mistake in enumerate(question.mistakes)
    ],
)
each_statement = pytest.mark.parametrize(
    ("label", "option"),
    [
        pytest.param(label, option, id=f"{label}-{i}")
        for label, question in QUESTIONS.items()
        if isinstance(question, Choice)
        for i, option in enumerate(question.options)
    ],
)


def test_the_book_has_at_least_forty_exercises_and_each_checks_itself():
    assert len(HOME) >= 40
    assert list(QUESTIONS) == list(HOME)


@each
def test_at_least_three_wrong_answers_are_foreseen(label):
    question = QUESTIONS[label]
    if isinstance(question, Choice):
        assert len(question.options) >= 4
        assert question.right in question.options
    else:
        assert len(question.mistakes) >= 3
    assert question.hints


@each
def test_a_right_answer_is_told_why_in_one_sentence(label):
    question = QUESTIONS[label]
    if isinstance(question, Choice):  # it has as much to say as its statements need
        assert question.options[question.right].endswith(".")
        return
    assert question.why.endswith(".")
    assert len(re.findall(r"[.?!](?=\s|$)", question.why)) == 1, question.why
    assert len(question.why.split()) <= 32
    assert question.why not in question.hints
    assert marking.mark(question, question.answer).said == f"Right. {question.why}"


@each
def test_what_is_said_is_said_once_and_ends_as_a_sentence(label):
    question = QUESTIONS[label]
    said = [*question.hints]
    if isinstance(question, Choice):
        said += question.options.values()
    else:
        said += [question.why, *(mistake.hint for mistake in question.mistakes)]
    assert len(set(said)) == len(said)
    for text in (question.ask, *said):
        assert text.rstrip(")")[-1] in ".?!:", text
        assert not re.search(r"\$|\\|`|\*\*|  ", text), text


@each
def test_the_truth_is_right_as_a_number_and_as_a_function(label):
    question = QUESTIONS[label]
    if isinstance(question, Choice):
        assert marking.mark(question, question.right).state == marking.RIGHT
        return
    truth = truths(question, question.cases[0])
    assert truth.shape == ()
    assert all(bool(truths(question, case).isfinite().all()) for case in question.cases)
    # as a calculator shows it, rounded to what the tolerance asks for
    digits = math.ceil(-math.log10(question.tolerance)) + 1
    assert marking.mark(question, round(float(truth), digits)).state == marking.RIGHT
    assert marking.mark(question, question.answer).state == marking.RIGHT


@each_mistake
def test_a_typical_mistake_is_refused_with_its_own_hint(label, mistake):
    question = QUESTIONS[label]
    number = float(mistake.answer(**question.cases[0]))
    for answer in (number, mistake.answer):
        refused = marking.mark(question, answer)
        assert (refused.state, refused.said) == (marking.WRONG, mistake.hint)


@each_mistake
def test_a_mistake_is_far_enough_from_the_truth_to_be_told_apart(label, mistake):
    question = QUESTIONS[label]
    case = question.cases[0]
    distance = abs(float(mistake.answer(**case)) - float(truths(question, case)))
    assert distance > 2 * question.tolerance


@each_statement
def test_one_statement_is_right_and_each_other_is_refused_with_its_comment(
    label, option
):
    question = QUESTIONS[label]
    mark = marking.mark(question, option)
    assert mark.state == (marking.RIGHT if option == question.right else marking.WRONG)
    assert mark.said.endswith(question.options[option])


def test_the_right_statement_has_no_place_of_its_own():
    places = [
        list(question.options).index(question.right)
        for question in QUESTIONS.values()
        if isinstance(question, Choice)
    ]
    for place in range(4):
        assert places.count(place) <= len(places) / 2


@each
def test_a_stub_is_not_yet_an_answer(label):
    question = QUESTIONS[label]
    for stub in (..., None, lambda *_: ...):
        if isinstance(question, Choice) and callable(stub):
            continue
        mark = marking.mark(question, stub)
        assert (mark.state, mark.said) == (marking.OPEN, instruction(question))


def marks(page, label):
    """Yield the place and the state of each mark that the build recorded."""
    for number, cell in enumerate(recorded.executed(page).cells):
        for output in cell.get("outputs", []):
            kept = output.get("data", {}).get(exercises.MIME)
            if kept is not None and kept["label"] == label:
                yield number, kept["state"]


@each
def test_the_book_asks_first_and_its_solution_passes(label):
    page = HOME[label]
    (asked, first), *solved = marks(page, label)
    assert first == marking.OPEN
    assert solved
    assert {state for _, state in solved} == {marking.RIGHT}
    source = cells(page)[asked]
    assert source.metadata["tags"] == ["exercise", "remove-input"]
    call = f'exercises.mark("{label}", answer)'
    assert source.source.splitlines()[-1] == call
    assert all(
        f'exercises.solution("{label}"' in cells(page)[at].source for at, _ in solved
    )


@each
def test_the_question_stands_between_exercise_and_solution(label):
    page = HOME[label]
    text = (recorded.source(page)).read_text(encoding="utf-8")
    places = [
        text.index(each)
        for each in (
            f":label: {label}\n",
            f'exercises.mark("{label}"',
            f"{{solution-start}} {label}\n",
            f'exercises.solution("{label}"',
        )
    ]
    assert places == sorted(places)


def test_a_label_is_found_without_its_prefix_and_an_unknown_one_is_refused():
    label = next(iter(QUESTIONS))
    assert chapters.find(label.removeprefix("ex-")) is QUESTIONS[label]
    with pytest.raises(ValueError, match=f"similar are .*{label}"):
        chapters.find(label[:-1])
