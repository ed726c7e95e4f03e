"""Exercises as data: a number or a choice, with typical mistakes and hints.

One definition serves all places: a page makes a field of it, a kernel tries the
reader's own function on its cases, and both answer typical mistakes with their hints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Mistake(NamedTuple):
    """A wrong answer that is often given, and what to say to it.

    Attributes:
        answer: of the same arguments as the right one.
        hint: names what was done, and not the right answer.
    """

    answer: Callable[..., Any]
    hint: str


class Number(NamedTuple):
    """A question whose answer is a number, or a function that computes it.

    Attributes:
        label: of the exercise, ``ex-<chapter>-<name>``.
        ask: what is wanted, for the number at the first case; plain text.
        answer: computes the truth from one case, in float64.
        cases: arguments of ``answer`` by name; the page asks for the first, whose
            answer is one number, and functions are tried on all.
        mistakes: at least three.
        why: what is said to the right answer: one sentence with the idea, and not the
            number again.
        hints: what helps before the solution does, the gentlest first.
        unit: of the answer; ``nats`` and ``%`` also explain answers in bits and shares.
        tolerance: how far a number may be off.
        precision: how far a function may be off, relative to one plus the truth.
    """

    label: str
    ask: str
    answer: Callable[..., Any]
    cases: tuple[Mapping[str, Any], ...]
    mistakes: tuple[Mistake, ...]
    why: str
    hints: tuple[str, ...]
    unit: str = ""
    tolerance: float = 1e-3
    precision: float = 1e-5


class Choice(NamedTuple):
    """A question whose answer is one of a few statements.

    Attributes:
        label: of the exercise, ``ex-<chapter>-<name>``.
        ask: what is wanted; plain text.
        options: for each statement what to say to whoever chooses it: of the right one
            why it is right, of the others what speaks against them. At least four.
        right: the right statement.
        hints: what helps before the solution does, the gentlest first.
    """

    label: str
    ask: str
    options: Mapping[str, str]
    right: str
    hints: tuple[str, ...]


Question = Number | Choice


def letters(question: Choice) -> dict[str, str]:
    """Assign letters to the statements of a choice: a, b, c, …

    Args:
        question: what is asked.

    Returns:
        For each letter its statement.
    """
    return dict(zip("abcdefghij", question.options, strict=False))


def instruction(question: Question) -> str:
    """Say how the question is answered in a kernel.

    Args:
        question: what is asked.

    Returns:
        A sentence or two; plain text.
    """
    if isinstance(question, Choice):
        listed = "; ".join(f"{key}) {text}" for key, text in letters(question).items())
        return f"{question.ask} Answer with a letter: {listed}."
    unit = f" in {question.unit}" if question.unit else ""
    names = ", ".join(question.cases[0])
    function = f"a function of {names}" if names else "a function of nothing"
    return f"{question.ask} Wanted: a number{unit}, or {function} that computes it."
