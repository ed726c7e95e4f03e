"""Read an answer: turn what is handed in into numbers, or refuse it in a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jensengap import numeric
from jensengap.exercises import trial
from jensengap.exercises.question import Choice, Number, Question, instruction, letters
from jensengap.exercises.trial import Open, Refused, at, short

COMMA = (
    "a comma makes two numbers of one. Write a decimal point, and nothing between "
    "thousands."
)


def truths(question: Number, case: Mapping[str, Any]) -> Tensor:
    """Compute the right answer at one case.

    Args:
        question: what was asked.
        case: arguments by name.

    Returns:
        A float64 tensor.
    """
    return numeric.float64(question.answer(**case))


def read(question: Question, answer: Any) -> Any:
    """Convert an answer to what is compared and kept.

    Args:
        question: what was asked.
        answer: a number of any library or a function; of a choice the statement or its
            letter; an ellipsis or None where there is no answer yet.

    Returns:
        The statement; the number; or of a function a list with its value, a number or
        nested lists of them, at each case.

    Raises:
        Open: there is no answer yet.
        Refused: it is none that could be compared.
    """
    if answer is None or answer is ...:
        raise Open
    if isinstance(question, Choice):
        return _statement(question, answer)
    # some numbers can be called, sympy's and mpmath's
    if not callable(answer) or _is_number(answer):
        return float(_value(answer, torch.Size(), "the answer"))
    results = trial.call(answer, question.cases)
    if all(result is None for result in results):
        raise Open("Your function returns nothing yet.")
    return [
        _value(result, truths(question, case).shape, f"the result{at(case)}").tolist()
        for case, result in zip(question.cases, results, strict=True)
    ]


def numbers(value: Any) -> Tensor:
    """Convert numbers of any library; a truth value is none.

    Args:
        value: a number, or numbers in lists or arrays.

    Returns:
        A float64 tensor, without a history; infinite where float64 ends.

    Raises:
        ValueError: texts, complex, truth or masked values, or lists of many lengths.
    """
    if _has_truth(value):
        raise ValueError("numbers are wanted, got truth values; compare no more")
    return numeric.float64(value)


def _has_truth(value: Any) -> bool:
    """Find a truth value, which is 0 or 1 to all libraries, and no answer."""
    if isinstance(value, list | tuple):
        return any(_has_truth(each) for each in value)
    kind = str(getattr(value, "dtype", type(value).__name__))
    if kind == "object" and isinstance(value, np.ndarray):
        return any(_has_truth(each) for each in value.flat)
    return kind.removeprefix("torch.") in ("bool", "boolean")


def _is_number(value: Any) -> bool:
    try:
        return numbers(value).numel() == 1
    except Exception:  # an object of any kind may come, with any error
        return False


def _statement(question: Choice, answer: Any) -> str:
    """Find the statement of a choice by its text or its letter."""
    by_letter = letters(question)
    # one statement in brackets is still one
    if isinstance(answer, list | tuple) and len(answer) == 1:
        (answer,) = answer
    if isinstance(answer, str):
        text = answer.strip().rstrip(".").strip().lower()
        for option in question.options:
            if option.rstrip(".").lower() == text:
                return option
        # b), (b), B and the full-width letter: all mean b
        letter = unicodedata.normalize("NFKC", text).strip(" .:()[]")
        if letter in by_letter:
            return by_letter[letter]
    raise Refused(
        f"Wanted is one of the letters {', '.join(by_letter)}, in quotes; "
        f"{_named(answer)} came. {instruction(question)}"
    )


def _named(value: Any) -> str:
    """Name a value in a sentence."""
    return f"{short(value)} ({type(value).__name__})"


def _value(value: Any, shape: torch.Size, what: str) -> Tensor:
    """Read a number, or a tensor of the shape wanted; a tensor of one is a number."""
    if value is ...:
        raise Open
    if value is None:
        raise Refused(f"There is nothing in {what}; is a return missing?")
    wanted = "one number" if not shape else f"a tensor of shape {tuple(shape)}"
    if isinstance(value, str):
        raise Refused(
            f"Wanted is {wanted}, and {what} is the text {short(value)}; write a "
            "number without quotes."
        )
    try:
        tensor = numbers(value)
    except Exception as error:  # an object of any kind may come, with any error
        masked = "; masked values are missing ones, fill or drop them"
        raise Refused(
            f"Wanted is {wanted}, and {what} is {_named(value)}"
            f"{masked if 'masked' in str(error) else ''}."
        ) from None
    if tensor.numel() == 1 and not shape:
        tensor = tensor.reshape(())
    # 1,5 is two numbers to Python: most likely a decimal comma
    if isinstance(value, tuple) and not shape and tensor.numel() > 1:
        raise Refused(f"Wanted is {wanted}, and {what} is {short(value)}: {COMMA}")
    if tensor.shape != shape:
        raise Refused(
            f"Wanted is {wanted}, and {what} has the shape {tuple(tensor.shape)}; "
            "average or choose, so that the shapes agree."
        )
    return tensor
