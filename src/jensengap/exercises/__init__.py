"""Mark an exercise's answer: in a form of the built page, or in a live kernel."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from jensengap.check import CheckError
from jensengap.exercises import chapters, form, marking, sheet
from jensengap.exercises.marking import OPEN, RIGHT, Mark
from jensengap.terminal import say

MIME = "application/vnd.jensengap.answer+json"
_SIGNS = {RIGHT: "✓", OPEN: "○", marking.WRONG: "✗"}
# True of a chapter in a kernel and of a handout, which has no solutions in it.
_WAY = "The book's solution is below this exercise in its chapter."


def mark(label: str = "", answer: Any = ..., *more: Any) -> Mark | None:
    """Mark an exercise's answer, and say what is wrong with it; nothing is ever raised.

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
        question = chapters.find(label)
    except ValueError as error:
        say(error)
        return None
    try:
        found = marking.mark(question, (answer, *more) if more else answer)
    except Exception as error:  # somebody's own class may do anything
        say(f"{question.label}: what came cannot be read ({type(error).__name__})")
        return None
    # also what is wrong: a later answer takes its place
    sheet.note(found)
    built = bool(os.environ.get("JENSENGAP_STATIC"))
    way = {RIGHT: _WAY, OPEN: f'For a hint: exercises.hint("{found.label}").'}
    markup = form.markup(question) if built and found.state == OPEN else ""
    _show(found, way.get(found.state, ""), markup)
    return found


def solution(label: str, answer: Any) -> Mark:
    """Check the book's own answer; it goes into no file of answers.

    Args:
        label: of the exercise.
        answer: as in :func:`mark`.

    Returns:
        The mark, shown as one line.

    Raises:
        CheckError: the answer is not right.
        ValueError: there is no such exercise.
    """
    found = marking.mark(chapters.find(label), answer)
    if found.state != RIGHT:
        raise CheckError(f"✗ {found.label} is not solved by this: {found.said}")
    _show(found)
    return found


def hint(label: str = "") -> None:
    """Print what helps with an exercise, short of its solution.

    Args:
        label: of the exercise.
    """
    try:
        hints = chapters.find(label).hints
    except ValueError as error:
        say(error)
        return
    for number, text in enumerate(hints, 1):
        say(f"{number}. {text}" if len(hints) > 1 else text)


def save_answers(path: str | Path = "answers.json") -> None:
    """Write the answers of this session into a file, and say what it holds.

    Args:
        path: of the file; the answers to other chapters that it holds already stay.
    """
    try:
        say(f"{path}: {sheet.save(path)}")
    except (TypeError, ValueError) as error:
        say(error)


def verify_answers(path: str | Path = "answers.json") -> None:
    """Mark the answers of a file anew, and say what came out.

    Args:
        path: of the file.
    """
    try:
        say(f"{path}: {sheet.verify(path)}")
    except (TypeError, ValueError) as error:
        say(error)


def _show(found: Mark, way: str = "", markup: str = "") -> None:
    """Show a mark, and which way leads on; markup stands for both in a page."""
    said = f"{OPEN}. {found.said}" if found.state == OPEN else found.said
    said = f"{said} {way}".strip()
    text = f"{_SIGNS[found.state]} {found.label} · {said}"
    if get_ipython() is None:
        say(text)
        return
    line = (
        f'<div class="jg-answer" data-state="{found.state}">{_SIGNS[found.state]} '
        f'<a href="#{found.label}">{found.label.removeprefix("ex-")}</a> '
        f"<span>{html.escape(said)}</span></div>"
    )
    kept = {"label": found.label, "state": found.state}
    bundle = {"text/plain": text, "text/html": markup or line, MIME: kept}
    display(bundle, raw=True)
