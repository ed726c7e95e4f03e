"""Puts an exercise to the reader: a form in the built page, a mark in a live kernel."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from jensengap import answer_sheet, exercises, form, marking
from jensengap.marking import OPEN, RIGHT, Mark
from jensengap.verdict import CheckError

MIME = "application/vnd.jensengap.answer+json"
_SIGNS = {RIGHT: "✓", OPEN: "○", marking.WRONG: "✗"}


def exercise(label: str = "", answer: Any = ..., *more: Any) -> Mark | None:
    """Check an answer, and say what is wrong with it; nothing is ever raised.

    Where the book is built (``JENSENGAP_STATIC`` is set) an exercise without an answer
    becomes a form in the page.

    Args:
        label: of the exercise, such as ``ex-elbo-tight``.
        answer: a number, a function that computes it, or of a choice the letter; an
            ellipsis while there is none.
        *more: what a decimal comma leaves behind.

    Returns:
        The mark, shown as one line; nothing where there is no such exercise.
    """
    try:
        question = exercises.find(label)
    except ValueError as error:
        print(error)
        return None
    try:
        mark = marking.mark(question, (answer, *more) if more else answer)
    except Exception as error:  # somebody's own class may do anything
        print(f"{question.label}: what came cannot be read ({type(error).__name__})")
        return None
    answer_sheet.note(mark)
    built = bool(os.environ.get("JENSENGAP_STATIC"))
    _show(mark, form.markup(question) if built and mark.state == OPEN else "")
    return mark


def solution(label: str, answer: Any) -> Mark:
    """Check the book's own answer; it goes into no file of answers.

    Args:
        label: of the exercise.
        answer: as in :func:`exercise`.

    Returns:
        The mark, shown as one line.

    Raises:
        CheckError: the answer is not right.
        ValueError: there is no such exercise.
    """
    mark = marking.mark(exercises.find(label), answer)
    if mark.state != RIGHT:
        raise CheckError(f"✗ {mark.label} is not solved by this: {mark.said}")
    _show(mark, "")
    return mark


def hint(label: str = "") -> None:
    """Print what helps with an exercise, short of its solution.

    Args:
        label: of the exercise.
    """
    try:
        hints = exercises.find(label).hints
    except ValueError as error:
        print(error)
        return
    for number, text in enumerate(hints, 1):
        print(f"{number}. {text}" if len(hints) > 1 else text)


def save_answers(path: str | Path = "answers.json") -> None:
    """Write the answers of this session into a file, and say what it holds.

    Args:
        path: of the file; the answers to other chapters that it holds already stay.
    """
    try:
        print(f"{path}: {answer_sheet.save(path)}")
    except (TypeError, ValueError) as error:
        print(error)


def verify_answers(path: str | Path = "answers.json") -> None:
    """Mark the answers of a file anew, and say what came out.

    Args:
        path: of the file.
    """
    try:
        print(f"{path}: {answer_sheet.verify(path)}")
    except (TypeError, ValueError) as error:
        print(error)


def _show(mark: Mark, markup: str) -> None:
    said = mark.said
    if mark.state == OPEN:
        said = f"{OPEN}. {said}"
        said += f' For a hint: check.hint("{mark.label}").'
    text = f"{_SIGNS[mark.state]} {mark.label} · {said}"
    if get_ipython() is None:
        print(text)
        return
    line = (
        f'<div class="jg-answer" data-state="{mark.state}">{_SIGNS[mark.state]} '
        f'<a href="#{mark.label}">{mark.label.removeprefix("ex-")}</a> '
        f"<span>{html.escape(said)}</span></div>"
    )
    kept = {"label": mark.label, "state": mark.state}
    bundle = {"text/plain": text, "text/html": markup or line, MIME: kept}
    display(bundle, raw=True)
