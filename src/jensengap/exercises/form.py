"""Write an exercise as an HTML form: a field, a verdict, hints to unfold.

No kernel and no server: a few lines of script compare what is entered with the numbers
that this module computed, and say what :mod:`jensengap.exercises.marking` would say.
The reader's browser keeps what was entered, for this question and no other.
"""

from __future__ import annotations

import hashlib
import html
import json
from typing import Any

from jensengap.exercises import reading
from jensengap.exercises.answer import truths
from jensengap.exercises.marking import SAID
from jensengap.exercises.question import Choice, Number, Question
from jensengap.markup import scripted
from jensengap.numeric import SLACK

_SCRIPT = (
    '<script type="application/json">{data}</script>'
    "<script>{code}\n{{const form = document.currentScript.parentElement; "
    "jensengap.answer.open(form); jensengap.kept.open(form);}}</script>"
)


def markup(question: Question) -> str:
    """Write the form of a question.

    Args:
        question: what is asked.

    Returns:
        A ``<form>`` element, the same for the same question.
    """
    inside = _choice(question) if isinstance(question, Choice) else _number(question)
    text = json.dumps(_data(question), ensure_ascii=False, separators=(",", ":"))
    # a choice has nothing to read
    names = ("answer", "kept")
    if isinstance(question, Number):
        names = ("reading", *names)
    code = "\n".join(map(scripted.script, names))
    script = _SCRIPT.format(data=text.replace("</", "<\\/"), code=code)
    return (
        f'<form class="jg-ask" id="ask-{question.label}" data-exercise='
        f'"{question.label}" data-question="{digest(question)}" novalidate>{inside}'
        '<p class="jg-said" role="status"></p>'
        f"{_hints(question)}"
        "<noscript><p>To have an answer checked, a page needs scripts; the chapter's "
        f"notebook needs none.</p></noscript>{script}</form>"
    )


def digest(question: Question) -> str:
    """Return what a question is known by; another wording or answer gives another.

    Args:
        question: what is asked.

    Returns:
        Twelve hexadecimal digits.
    """
    if isinstance(question, Choice):
        told = [question.ask, *question.options, question.right]
    else:
        # rounded: the last digits go with the processor, and the question does not
        answer = f"{float(truths(question, question.cases[0])):.6g}"
        told = [question.ask, question.unit, f"{question.tolerance:g}", answer]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:12]


def _number(question: Number) -> str:
    unit = f'<span class="jg-unit">{html.escape(question.unit)}</span>'
    return (
        f'<label for="{_field(question)}">{html.escape(question.ask)}</label>'
        f'<p class="jg-entry"><input id="{_field(question)}" type="text" '
        'inputmode="text" autocomplete="off" spellcheck="false" size="12">'
        f"{unit if question.unit else ''}{_precision(question)}"
        '<button type="submit">Check</button></p>'
    )


def _precision(question: Number) -> str:
    return f'<span class="jg-precision">± {question.tolerance:g}</span>'


def _choice(question: Choice) -> str:
    options = "".join(
        f'<label><input type="radio" name="{_field(question)}" '
        f'value="{html.escape(option)}"> <span>{html.escape(option)}</span></label>'
        for option in question.options
    )
    return (
        f"<fieldset><legend>{html.escape(question.ask)}</legend>{options}</fieldset>"
        '<p class="jg-entry"><button type="submit">Check</button></p>'
    )


def _field(question: Question) -> str:
    return f"answer-{question.label}"


def _hints(question: Question) -> str:
    several = len(question.hints) > 1
    return "".join(
        f'<details class="jg-hint"><summary>Hint{f" {i}" if several else ""}</summary>'
        f"<p>{html.escape(hint)}</p></details>"
        for i, hint in enumerate(question.hints, 1)
    )


def _data(question: Question) -> dict[str, Any]:
    """Collect what the script compares an answer with."""
    if isinstance(question, Choice):
        data = {"right": question.right, "options": dict(question.options)}
        return data | {"said": {k: SAID[k] for k in ("right", "empty")}}
    # a page asks for the first case only; functions need a kernel
    case = question.cases[0]
    return {
        "answer": float(truths(question, case)),
        "tolerance": question.tolerance,
        "slack": SLACK,
        "unit": question.unit,
        "mistakes": [[float(m.answer(**case)), m.hint] for m in question.mistakes],
        "said": SAID | {"right": f"{SAID['right']} {question.why}"},
        "grammar": reading.GRAMMAR,
    }
