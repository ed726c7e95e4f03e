"""Reads an answer: whatever somebody hands in becomes plain numbers, or a sentence.

An error in a reader's function, a loop that never ends and a value of the wrong kind
are each explained; none of them gets through.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from jensengap import timelimit
from jensengap.question import Choice, Number, Question, instruction, letters

SECONDS = 5.0  # for all cases of a function together


class Refused(Exception):
    """An answer that cannot be compared; says why, for the reader."""


class Open(Exception):
    """An answer that is none yet."""


def float64(value: Any) -> Tensor:
    """Make a tensor of it.

    Args:
        value: a number, or numbers in lists or arrays.

    Returns:
        A float64 tensor, without a history.
    """
    return torch.as_tensor(value, dtype=torch.float64).detach()


def truths(question: Number, case: Mapping[str, Any]) -> Tensor:
    """Compute the right answer at one case.

    Args:
        question: what was asked.
        case: arguments by name.

    Returns:
        A float64 tensor.
    """
    return float64(question.answer(**case))


def read(question: Question, answer: Any) -> Any:
    """Turn an answer into what is compared and kept.

    Args:
        question: what was asked.
        answer: a number or a function; of a choice the statement or its letter; an
            ellipsis or None where there is no answer yet.

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
    if not callable(answer):
        value = _value(answer, torch.Size(), "the answer")
        return float(value)
    return _tried(question, answer)


def _statement(question: Choice, answer: Any) -> str:
    by_letter = letters(question)
    if isinstance(answer, str):
        text = answer.strip().rstrip(".").strip().lower()
        for option in question.options:
            if option.rstrip(".").lower() == text:
                return option
        letter = text.rstrip(")").strip()
        if letter in by_letter:
            return by_letter[letter]
    raise Refused(
        f"Wanted is one of the letters {', '.join(by_letter)}, in quotes; "
        f"{_named(answer)} came. {instruction(question)}"
    )


def _named(value: Any) -> str:
    """Name a value in a sentence."""
    text = repr(value)
    short = text if len(text) <= 40 else text[:37] + "…"
    return f"{short} ({type(value).__name__})"


def _value(value: Any, shape: torch.Size, what: str) -> Tensor:
    """Read a number, or a tensor of the shape wanted; a tensor of one is a number."""
    if value is None or value is ...:
        raise Open
    wanted = "one number" if not shape else f"a tensor of shape {tuple(shape)}"
    if isinstance(value, str):
        raise Refused(
            f"Wanted is {wanted}, and {what} is the text {value!r}; write a number "
            "without quotes."
        )
    if isinstance(value, bool | complex | dict | set):
        raise Refused(f"Wanted is {wanted}, and {what} is {_named(value)}.")
    try:
        tensor = float64(value)
    except (TypeError, ValueError, RuntimeError):
        raise Refused(f"Wanted is {wanted}, and {what} is {_named(value)}.") from None
    if tensor.numel() == 1 and not shape:
        tensor = tensor.reshape(())
    if isinstance(value, tuple) and not shape and tensor.numel() > 1:
        raise Refused(
            f"Wanted is {wanted}, and {what} is {value}: a comma makes two numbers of "
            "one. Write a decimal point, and nothing between thousands."
        )
    if tensor.shape != shape:
        raise Refused(
            f"Wanted is {wanted}, and {what} has the shape {tuple(tensor.shape)}; "
            "average or choose, so that the shapes agree."
        )
    return tensor


def _tried(question: Number, function: Callable[..., Any]) -> list[Any]:
    """Call the reader's function at each case."""
    names = tuple(question.cases[0])
    _takes(function, names)

    def calls() -> list[Any]:
        return [_called(function, case) for case in question.cases]

    try:
        results = timelimit.call(calls, SECONDS)
    except TimeoutError:
        raise Refused(
            f"The function ran for more than {SECONDS:g} seconds and was stopped; "
            "look for a loop that never ends, or for far too many steps."
        ) from None
    read = []
    for case, result in zip(question.cases, results, strict=True):
        value = _value(result, truths(question, case).shape, f"the result{at(case)}")
        read.append(value.tolist())
    return read


def _takes(function: Callable[..., Any], names: tuple[str, ...]) -> None:
    """Refuse a function that cannot be called with these arguments."""
    try:
        inspect.signature(function).bind(*names)
    except ValueError:  # compiled code may not tell
        return
    except TypeError:
        listed = f"({', '.join(names)})"
        raise Refused(
            f"Wanted is a function of {len(names)} arguments in this order, {listed}, "
            f"and yours takes {inspect.signature(function)}."
        ) from None


def _called(function: Callable[..., Any], case: Mapping[str, Any]) -> Any:
    # copies: a function that changes its arguments in place harms nobody
    values = [v.clone() if isinstance(v, Tensor) else v for v in case.values()]
    try:
        return function(*values)
    except NotImplementedError:
        raise Open from None
    except (Exception, SystemExit) as error:  # nothing may end the kernel
        last = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise Refused(
            f"The function stopped{at(case)} with {said} (line {last.lineno}: "
            f"{(last.line or '').strip() or last.name})."
        ) from None


def at(case: Mapping[str, Any]) -> str:
    """Name a case in a sentence, where that is short.

    Args:
        case: arguments by name.

    Returns:
        Text such as `` at a = 2, b = 3``, or nothing.
    """
    listed = ", ".join(
        f"{name} = {value:g}" if isinstance(value, int | float) else f"{name} = {value}"
        for name, value in case.items()
        if isinstance(value, int | float | str)
    )
    return f" at {listed}" if listed else ""
