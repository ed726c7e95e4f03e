"""An answer is right, not there yet, or wrong with a hint that helps."""

import math
import time

import numpy as np
import pytest
import torch
from questions import AREA, SIDE

from jensengap.exercises import marking, trial
from jensengap.exercises.marking import OPEN, RIGHT, SAID, WRONG, mark
from jensengap.exercises.question import Mistake, Number, instruction


@pytest.mark.parametrize(
    "answer",
    [
        *(6, 6.0, 6.01, np.float32(6), np.array([6.0]), torch.tensor(6.0)),
        *(torch.full((1,), 6.0), torch.tensor(6.0, requires_grad=True)),
        lambda a, b: a * b,
        lambda *sides: sides[0] * sides[1],
        lambda a, b, unused=1: torch.tensor(a * b),
    ],
)
def test_a_number_or_a_function_that_computes_it_is_right(answer):
    assert mark(AREA, answer)[:3] == (AREA.label, RIGHT, f"Right. {AREA.why}")


@pytest.mark.parametrize(
    "answer", ["b", "B", "b)", " b. ", "(b)", "b:", ["b"], "below", "Below", "ｂ）"]
)
def test_a_choice_is_answered_by_its_letter_or_its_statement(answer):
    right = mark(SIDE, answer)
    assert right.state == RIGHT
    assert right.said == f"{SAID['right']} {SIDE.options['below']}"
    assert right.given == "below"


def stub(a, b): ...


def interrupts(a, b):
    raise KeyboardInterrupt


def without_end(a, b):
    return without_end(a, b)


def in_a_library(a, b):
    kinds = torch.distributions
    two = kinds.Normal(torch.zeros(2), torch.ones(2))
    mixture = kinds.MixtureSameFamily(kinds.Categorical(torch.ones(2)), two)
    return kinds.kl_divergence(kinds.Normal(0.0, 1.0), mixture)


async def coroutine(a, b):
    return a * b


def generator(a, b):
    yield a * b


class Odd:
    """An object of which nothing can be asked."""

    def __repr__(self):
        raise ValueError("no")

    def __float__(self):
        raise ZeroDivisionError("no")


def unwritten(a, b):
    raise NotImplementedError


@pytest.mark.parametrize("question", [AREA, SIDE])
@pytest.mark.parametrize("answer", [..., None])
def test_no_answer_is_not_yet_one(question, answer):
    open_ = mark(question, answer)
    assert open_.state == OPEN
    assert open_.said.startswith(question.ask)
    assert open_.given is None


@pytest.mark.parametrize("answer", [stub, unwritten, lambda a, b: None])
def test_a_function_without_a_body_is_not_yet_an_answer(answer):
    assert mark(AREA, answer).state == OPEN


@pytest.mark.parametrize("mistake", AREA.mistakes)
def test_a_typical_mistake_gets_its_hint_as_a_number_and_as_a_function(mistake):
    for answer in (mistake.answer(**AREA.cases[0]), mistake.answer):
        assert mark(AREA, answer)[1:3] == (WRONG, mistake.hint)


@pytest.mark.parametrize("option", ["above", "beside", "anywhere"])
def test_a_wrong_statement_gets_its_comment(option):
    assert mark(SIDE, option)[1:3] == (WRONG, SIDE.options[option])


def test_a_mistake_that_shows_in_one_case_only_is_still_named():
    def forgot_the_sign(a, b):
        return a * abs(b)

    mistake = Mistake(forgot_the_sign, "A sign was lost.")
    question = AREA._replace(mistakes=(*AREA.mistakes, mistake))
    assert mark(question, forgot_the_sign).said == "A sign was lost."


@pytest.mark.parametrize(
    ("unit", "answer", "said"),
    [
        ("nats", -6.0, "sign"),
        ("", -6.0, "sign"),
        ("nats", 6 / math.log(2), "bits"),
        ("%", 0.06, "share"),
        ("", 6 / math.log(2), "large"),
        ("", 0.06, "small"),
        ("nats", 5.98, "small"),
        ("nats", 6.02, "large"),
    ],
)
def test_another_sign_or_unit_is_recognised(unit, answer, said):
    assert mark(AREA._replace(unit=unit), answer).said == SAID[said]


def test_a_function_in_the_wrong_unit_is_recognised_too():
    said = mark(AREA, lambda a, b: a * b / math.log(2)).said
    assert said == SAID["bits"]


def test_a_wrong_function_is_told_the_case_and_the_side():
    said = mark(AREA, lambda a, b: a * b + (b < 0)).said
    assert said == "Not yet: this is too large at a = 0.5, b = -7."


def test_a_function_is_held_to_more_digits_than_a_number():
    assert mark(AREA, 6.005).state == RIGHT
    assert mark(AREA, lambda a, b: a * b + 0.005).state == WRONG
    assert (
        mark(AREA._replace(precision=1e-2), lambda a, b: a * b + 0.005).state == RIGHT
    )


@pytest.mark.parametrize("answer", [math.nan, math.inf, lambda a, b: math.nan])
def test_what_is_not_finite_is_named(answer):
    assert mark(AREA, answer)[1:3] == (WRONG, SAID["not finite"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (True, ["one number", "True (bool)"]),
        (6j, ["one number", "(complex)"]),
        (np.array(6 + 9j), ["one number", "(ndarray)"]),
        (torch.tensor(6 + 9j), ["one number", "(Tensor)"]),
        (lambda a, b: torch.complex(*torch.tensor([a * b, 3.0])), ["one number"]),
        (np.True_, ["one number", "(bool"]),
        (10**400, ["one number", "1000000", "…", "(int)"]),
        ("x" * 10**5, ["A number is wanted"]),
        ("six", ["A number is wanted"]),
        (b"6", ["one number", "(bytes)"]),
        ({"a": 1}, ["one number", "(dict)"]),
        (object(), ["one number", "(object)"]),
        ([1.0, 2.0], ["one number", "shape (2,)"]),
        ((14, 138), ["one number", "(14, 138)", "a comma makes two numbers"]),
        (torch.zeros(3, 2), ["one number", "shape (3, 2)"]),
        (lambda: 6, ["2 arguments", "(a, b)", "yours takes ()"]),
        (lambda a: 6, ["2 arguments", "yours takes (a)"]),
        (lambda a, b: [a, b], ["the result at a = 2, b = 3", "shape (2,)"]),
        (lambda a, b: "6", ["the result at a = 2, b = 3", "text '6'"]),
        (lambda a, b: a / 0, ["ZeroDivisionError", "a = 2, b = 3", "line"]),
        (lambda a, b: exit(), ["stopped", "SystemExit"]),
        (interrupts, ["stopped", "KeyboardInterrupt"]),
        (without_end, ["RecursionError", "return without_end(a, b)"]),
        (in_a_library, ["NotImplementedError", "return kinds.kl_divergence"]),
        (lambda a, b: a if b > 0 else None, ["the result at a = 0.5", "a return"]),
        (coroutine, ["async or yields"]),
        (generator, ["async or yields"]),
        (Odd(), ["one number", "(Odd)"]),
        (lambda a, b: Odd(), ["one number", "(Odd)"]),
    ],
)
def test_what_cannot_be_compared_is_explained(answer, words):
    refused = mark(AREA, answer)
    assert refused.state == WRONG
    assert refused.given is None
    for word in words:
        assert word in refused.said, refused.said


@pytest.mark.parametrize(
    "answer", [3, "e", "neither", "", ["b", "c"], Odd(), lambda: "b", math.nan]
)
def test_what_is_none_of_the_statements_is_explained(answer):
    refused = mark(SIDE, answer)
    assert refused.state == WRONG
    assert "one of the letters a, b, c, d" in refused.said


def test_a_function_that_never_ends_is_stopped(monkeypatch):
    def endless(a, b):
        while True:
            pass

    monkeypatch.setattr(trial, "SECONDS", 0.2)
    began = time.monotonic()
    refused = mark(AREA, endless)
    assert time.monotonic() - began < 5
    assert refused.state == WRONG
    assert "more than 0.2 seconds" in refused.said


def test_a_function_may_be_about_tensors_and_its_shape_is_held():
    question = Number(
        label="ex-test-mean",
        ask="The mean over samples?",
        answer=lambda log_w: log_w.mean(0),
        cases=(
            {"log_w": torch.arange(4.0)},
            {"log_w": torch.arange(6.0).reshape(3, 2)},
        ),
        mistakes=(),
        why="It is a mean.",
        hints=(),
    )
    assert mark(question, lambda w: w.mean(0)).state == RIGHT
    said = mark(question, lambda w: w.mean()).said
    assert "a tensor of shape (2,)" in said
    assert "shape ()" in said


def test_a_function_that_changes_its_arguments_harms_nobody():
    log_w = torch.ones(3)
    question = AREA._replace(answer=lambda w: float(w.sum()), cases=({"w": log_w},))
    assert mark(question, lambda w: float(w.mul_(2).sum()) / 2).state == RIGHT
    assert mark(question, lambda w: float(w.sum())).state == RIGHT


@pytest.mark.parametrize("answer", [6.0, 5.0, lambda a, b: a + b, lambda a, b: a * b])
def test_what_was_given_is_marked_alike_again(answer):
    first = mark(AREA, answer)
    assert marking.judge(AREA, first.given) == first


@pytest.mark.parametrize(
    "kept", ["6", [1.0], [1.0, [2.0]], [1.0, 2.0, 3.0], None, {"a": 1}, ["a", 2]]
)
def test_what_no_answer_left_behind_is_refused(kept):
    with pytest.raises(ValueError, match="ex-test-area"):
        marking.judge(AREA, kept)
    with pytest.raises(ValueError, match="ex-test-side"):
        marking.judge(SIDE, kept)


# (unit of the question, what is typed): what is said to it; the right answer is 6
SAYINGS = {
    ("nats", "6"): "Right.",
    ("nats", "+6.0"): "Right.",
    ("nats", "−6"): SAID["sign"],
    ("nats", "6 nats"): "Right. (read as 6)",
    ("nats", "5 1/1"): "Right. (read as 6)",
    ("nats", "2·3"): "Right. (read as 6)",
    ("nats", "x ≈ 6,000"): "Right. (read as 6)",
    ("nats", "−6 nats"): f"{SAID['sign']} (read as −6)",
    ("nats", "1 7/8"): f"{SAID['small']} (read as 1.875)",
    ("nats", "5,0"): "That is a sum. (read as 5)",
    ("nats", "6 bits"): "That is in bits; wanted is a number in nats. (read as 6)",
    ("nats", "8.6562 bits"): f"{SAID['bits']} (read as 8.6562)",
    ("nats", "8.6562"): SAID["bits"],
    ("", "6 nats"): "That is in nats; wanted is a number without a unit. (read as 6)",
    ("draws", "6 draws"): "Right. (read as 6)",
    ("draws", "6 bits"): "That is in bits; wanted is a number in draws. (read as 6)",
    ("%", "6%"): "Right. (read as 6)",
    ("%", "6 per cent"): "Right. (read as 6)",
    ("%", "0.06"): SAID["share"],
    ("", "600%"): "Right. (read as 6)",
    ("", "6%"): f"{SAID['small']} (read as 0.06)",
    ("nats", "1/0"): SAID["not finite"],
    ("nats", "log 0"): SAID["not finite"],
    ("nats", "six"): SAID["not a number"],
    ("nats", "(" * 10_000): SAID["not a number"],
}  # fmt: skip


@pytest.mark.parametrize(("unit", "text"), SAYINGS, ids=lambda part: part[:12])
def test_a_text_is_marked_as_the_number_that_it_says(unit, text):
    found = mark(AREA._replace(unit=unit, tolerance=0.001), text)
    # of a right answer the reason is said, before what was read
    said = SAYINGS[unit, text].replace("Right.", f"Right. {AREA.why}")
    assert found.said == said
    assert (found.state == RIGHT) == found.said.startswith("Right.")


def test_of_several_readings_the_right_one_counts_and_then_a_known_mistake():
    large = AREA._replace(answer=lambda a, b: 14138.0, mistakes=(), tolerance=1.0)
    found = mark(large, "14,138")
    assert found[1:] == (RIGHT, f"Right. {AREA.why} (read as 14138)", 14138.0)
    small = large._replace(answer=lambda a, b: 14.138, tolerance=0.001)
    assert mark(small, "14,138").said == f"Right. {AREA.why} (read as 14.138)"
    assert mark(small, "14.138").said == f"Right. {AREA.why}"
    # an English decimal point is not doubted, a German point between thousands is
    assert mark(large, "14.138").said == f"Right. {AREA.why} (read as 14138)"
    doubled = Mistake(lambda a, b: 28276.0, "That is twice as much.")
    said = mark(large._replace(mistakes=(doubled,)), "28,276").said
    assert said == "That is twice as much. (read as 28276)"
    assert mark(large, "14,13").said == f"{SAID['small']} (read as 14.13)"


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_an_empty_text_is_not_yet_an_answer(text):
    assert mark(AREA, text)[1:] == (OPEN, f"{SAID['empty']} {instruction(AREA)}", None)


@pytest.mark.parametrize("text", ["6", "3·2", "6,0"])
def test_a_text_is_kept_as_its_number(text):
    assert mark(AREA, text).given == 6.0


def test_the_edge_of_a_functions_precision_belongs_to_it():
    question = AREA._replace(answer=lambda a, b: 0.4, precision=0.005 / 1.4)
    assert mark(question, lambda a, b: 0.395).state == RIGHT
    assert mark(question, lambda a, b: 0.405).state == RIGHT
    assert mark(question, lambda a, b: 0.40501).state == WRONG
