"""Mark an answer: right, not yet, or wrong with a hint that names the mistake."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from jensengap import numeric
from jensengap.exercises import answer as answers
from jensengap.exercises import reading
from jensengap.exercises.answer import numbers, truths
from jensengap.exercises.question import Choice, Mistake, Number, Question, instruction
from jensengap.exercises.trial import Open, Refused, at, short

RIGHT, OPEN, WRONG = "right", "not yet", "try again"
# What is said in a kernel and in a page alike.
SAID = {
    "right": "Right.",
    "empty": "Nothing is entered yet.",
    "not a number": "A number is wanted, such as −0.25, 3e-4 or 1/3.",
    "not finite": (
        "That is not a finite number; look for a division by zero, or for a logarithm "
        "of zero."
    ),
    "sign": "The size is right, the sign is not.",
    "bits": "That is in bits; wanted are nats: multiply by log 2.",
    "share": "That is a share of one; wanted are percent: multiply by 100.",
    "small": "Not yet: this is too small.",
    "large": "Not yet: this is too large.",
    "unit": "That is in {came}; wanted is a number in {wanted}.",
    "unitless": "That is in {came}; wanted is a number without a unit.",
    "read": "(read as {value})",
}


class Mark(NamedTuple):
    """Verdict on an answer: its state, and a sentence for the reader.

    Attributes:
        label: of the exercise.
        state: ``right``, ``not yet`` (nothing was answered) or ``try again``.
        said: a sentence for the reader.
        given: the answer as plain numbers or text, as a file of answers keeps it; of a
            function a list with its values at each case. None where there is none.
    """

    label: str
    state: str
    said: str
    given: Any = None

    def _ipython_display_(self) -> None:
        """Show nothing: the mark was shown when it was made."""


def mark(question: Question, answer: Any) -> Mark:
    """Mark an answer as it was handed in.

    Args:
        question: what was asked.
        answer: a number, as a number or as a text, or a function; of a choice the
            statement or its letter; an ellipsis or None where there is no answer yet.

    Returns:
        The mark.
    """
    try:
        if isinstance(question, Number) and isinstance(answer, str):
            return _typed(question, answer)
        return judge(question, answers.read(question, answer))
    except Open as missing:
        return Mark(question.label, OPEN, f"{missing} {instruction(question)}".strip())
    except Refused as reason:
        return Mark(question.label, WRONG, str(reason))


def _typed(question: Number, text: str) -> Mark:
    """Mark a number that was typed; say what was read where that can be doubted."""
    if reading.is_empty(text):
        raise Open(SAID["empty"])
    values, unit, plain = reading.read(text, question.unit)
    if not values:
        raise Refused(SAID["not a number"])
    if not math.isfinite(values[0]):
        raise Refused(SAID["not finite"])
    marks = [
        _in_other_unit(question, value, unit) if unit else judge(question, value)
        for value in values
    ]
    best = min(marks, key=_rank)  # the first of those that are alike
    value = values[marks.index(best)]
    if plain and value == values[0]:
        return best
    echo = SAID["read"].format(value=reading.shown(value))
    return best._replace(said=f"{best.said} {echo}")


def _rank(found: Mark) -> int:
    """Prefer what is right, then what a known mistake explains."""
    if found.state == RIGHT:
        return 0
    return 2 if found.said in (SAID["small"], SAID["large"]) else 1


def _in_other_unit(question: Number, value: float, came: str) -> Mark:
    """Refuse a number in another unit, whatever its size."""
    said = SAID["unit" if question.unit else "unitless"]
    said = said.format(came=came, wanted=question.unit)
    if came == "bits" and judge(question, value).said == SAID["bits"]:
        said = SAID["bits"]
    return Mark(question.label, WRONG, said)


def judge(question: Question, given: Any) -> Mark:
    """Mark an answer that has been read, for example from a file of answers.

    Args:
        question: what was asked.
        given: a statement, a number, or for each case the value of a function as
            (nested lists of) numbers.

    Returns:
        The mark, with ``given``.

    Raises:
        ValueError: ``given`` is nothing that :func:`mark` would have read.
    """
    if isinstance(question, Choice):
        if not isinstance(given, str) or given not in question.options:
            raise ValueError(f"{question.label} has no statement {short(given)}")
        state = RIGHT if given == question.right else WRONG
        said = question.options[given]
        lead = SAID["right"] + " " if state == RIGHT else ""
        return Mark(question.label, state, (lead + said).strip(), given)
    is_function = isinstance(given, list)
    cases = question.cases if is_function else question.cases[:1]
    right = [truths(question, case) for case in cases]
    given_each = given if is_function else [given]
    try:
        # counted first: a file may hold a list of any length
        values = [numbers(each) for each in given_each[: len(cases) + 1]]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        values = []
    if [value.shape for value in values] != [truth.shape for truth in right]:
        raise ValueError(f"{question.label} is not answered by {short(given)}")
    fault = _fault(question, right, values, is_function)
    if fault:
        return Mark(question.label, WRONG, fault, given)
    return Mark(question.label, RIGHT, f"{SAID['right']} {question.why}", given)


def _fault(
    question: Number, right: list[Tensor], values: list[Tensor], is_function: bool
) -> str:
    """Say what is wrong with the values; nothing where nothing is."""
    cases = question.cases[: len(right)]

    def near(value: Tensor, truth: Tensor) -> bool:
        allowed = question.tolerance
        if is_function:
            # relative where values are large, absolute where they are small
            allowed = question.precision * (1 + truth.abs())
        return bool(numeric.within((value - truth).abs(), allowed).all())

    wrong = [
        i for i, pair in enumerate(zip(values, right, strict=True)) if not near(*pair)
    ]
    if not wrong:
        return ""
    if not all(bool(value.isfinite().all()) for value in values):
        return SAID["not finite"]
    for said, mistaken in _typical(question, cases, right):
        # a mistake need not show in every case, but it must explain all that are wrong
        if all(near(values[i], mistaken[i]) for i in wrong):
            return said
    # no known mistake: say at least in which direction it is off
    first = wrong[0]
    side = "small" if float((values[first] - right[first]).sum()) < 0 else "large"
    where = at(cases[first]) if is_function else ""
    return f"{SAID[side][:-1]}{where}."


def _typical(
    question: Number, cases: tuple[Mapping[str, Any], ...], right: list[Tensor]
) -> list[tuple[str, list[Tensor]]]:
    """List common wrong answers: the mistakes, a wrong sign, another unit."""
    found = [
        (m.hint, [_mistaken(m, case) for case in cases]) for m in question.mistakes
    ]
    found.append((SAID["sign"], [-truth for truth in right]))
    if question.unit == "nats":
        found.append((SAID["bits"], [truth / math.log(2) for truth in right]))
    if question.unit == "%":
        found.append((SAID["share"], [truth / 100 for truth in right]))
    return found


def _mistaken(mistake: Mistake, case: Mapping[str, Any]) -> Tensor:
    return numeric.float64(mistake.answer(**case))
