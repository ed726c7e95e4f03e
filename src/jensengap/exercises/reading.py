"""Read a number as people write it: decimals, fractions, percent, logarithms, units.

``grammar.json`` says what is read; ``markup/scripts/reading.js`` reads it in a page.

1. Fold: Unicode's compatibility forms, signs and LaTeX become the few signs of the
   grammar (``before``, ``digits``, ``signs``, ``after``).
2. Take off the unit and the error bar (``unit``, ``tail``).
3. Split into tokens in each of the ``customs``, which are pairs of the marks between
   thousands and the decimal mark: ``14,137`` is a number in two of them.
4. Evaluate twice: in ``1/2π`` a factor without a sign may bind closer than ``/``.

So a text has one reading, several, or none. Nothing is evaluated but the operators and
functions of the grammar.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

GRAMMAR: dict[str, Any] = json.loads(
    (files("jensengap.exercises") / "grammar.json").read_text("utf-8")
)
_FACTOR, _TIGHT = 2, 3  # how close a factor without a sign binds; a power binds closer


class Reading(NamedTuple):
    """What a text says: its values, in the order in which they are to be tried.

    Attributes:
        values: finite numbers, or one NaN where all that is said is not finite; empty
            where the text says no number.
        unit: a unit other than the one that was asked for; empty where there is none.
        plain: whether the text is a number in the usual custom, so that there is no
            doubt about its first value.
    """

    values: tuple[float, ...]
    unit: str
    plain: bool


class _Nonsense(Exception):
    """Raised where a text is not in the grammar."""


class _NotFinite(Exception):
    """Raised where a step has no finite result."""


def read(text: str, unit: str = "") -> Reading:
    """Read a text as a number.

    Args:
        text: whatever was typed.
        unit: in which the number is wanted; it may be typed as well. In ``%`` a percent
            sign is this unit, elsewhere it divides by 100.

    Returns:
        What the text says.
    """
    if len(text) > GRAMMAR["length"]:
        return Reading((), "", False)
    body, other = _without_unit(_folded(text), unit)
    body = re.sub(GRAMMAR["tail"], "", body, flags=re.ASCII)
    # the unit may stand before an error bar, too
    body, another = _without_unit(body, unit)
    values = _values(body, 100 if unit == "%" else 1)
    plain = re.search(GRAMMAR["plain"], text, re.ASCII) is not None
    return Reading(values, (other or another) if values else "", plain)


def is_empty(text: str) -> bool:
    """Test whether nothing is written.

    Args:
        text: whatever was typed.

    Returns:
        Whether it has nothing but blanks.
    """
    return len(text) <= GRAMMAR["length"] and not _folded(text).strip()


def shown(value: float) -> str:
    """Write a number so that it can be compared with what was typed.

    Args:
        value: finite.

    Returns:
        At most ten digits, such as ``1.875``, ``−0.6931471806`` or ``3e−7``.
    """
    # no sign for zero
    mantissa, exponent = f"{value + 0.0:.9e}".split("e")
    mantissa, power = mantissa.rstrip("0").rstrip("."), int(exponent)
    text = f"{mantissa}e{power}"
    if -5 < power < 15:
        text = f"{float(text):.{max(0, 9 - power)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def _folded(text: str) -> str:
    """Write a text in the few signs of the grammar."""
    text = unicodedata.normalize("NFKC", _rewritten(text, "before"))
    return _rewritten(text.translate(_signs()).lower(), "after")


def _rewritten(text: str, rules: str) -> str:
    for pattern, by in GRAMMAR[rules]:
        # $1 to JavaScript is \1 to Python
        text = re.sub(pattern, by.replace("$", "\\"), text, flags=re.ASCII)
    return text


@cache
def _signs() -> dict[int, str]:
    """Map each sign to the one that stands for it."""
    found = {ord(s): by for by, signs in GRAMMAR["signs"].items() for s in signs}
    for zero in GRAMMAR["digits"]:
        found |= {ord(zero) + digit: str(digit) for digit in range(10)}
    return found


def _without_unit(body: str, unit: str) -> tuple[str, str]:
    """Take a unit off the end; return the rest, and the unit if another was wanted."""
    match = re.search(GRAMMAR["unit"], body, re.ASCII)
    if match is None:
        return body, ""
    rest, word = match.groups()
    many = f"{word.removesuffix('s')}s"
    if unit and many == f"{unit.lower().removesuffix('s')}s":
        return rest, ""
    return (rest, many) if many in GRAMMAR["units"] else (body, "")


def _values(body: str, whole: int) -> tuple[float, ...]:
    """Evaluate a folded text in every custom; the same value is kept once."""
    found: dict[float, None] = {}
    infinite = False
    seen = set()
    for custom in range(len(GRAMMAR["customs"])):
        tokens = _tokens(body, custom)
        if not tokens or tokens in seen:
            continue
        seen.add(tokens)
        for binding in (_FACTOR, _TIGHT):
            try:
                found[_Expression(tokens, binding, whole).value()] = None
            except _NotFinite:
                infinite = True
            except _Nonsense:
                pass
    return tuple(found) or ((math.nan,) if infinite else ())


def _tokens(body: str, custom: int) -> tuple[str, ...]:
    """Split a text into signs, names and plain numbers; nothing if a part is none."""
    pattern, groups, mark = _pattern(custom)
    parts = pattern.findall(body)
    if "".join(parts).replace(" ", "") != body.replace(" ", ""):
        return ()
    return tuple(
        re.sub(f"[{groups} ]", "", part).replace(mark, ".")
        if part[0].isdigit() or part[0] == mark
        else part
        for part in parts
    )


@cache
def _pattern(custom: int) -> tuple[re.Pattern[str], str, str]:
    groups, mark = GRAMMAR["customs"][custom]
    number = GRAMMAR["number"].replace("GROUP", groups).replace("MARK", mark)
    names = "|".join((*GRAMMAR["functions"], *GRAMMAR["constants"]))
    pattern = rf"{number}|(?:{names})(?![a-z])|{GRAMMAR['sign']}"
    return re.compile(pattern, re.ASCII), groups, mark


class _Expression:
    """An expression and how far it has been read: precedence climbing."""

    def __init__(self, tokens: tuple[str, ...], binding: int, whole: int) -> None:
        self.tokens, self.binding, self.whole = tokens, binding, whole
        self.at = self.depth = 0

    def value(self) -> float:
        """Evaluate all of it."""
        found = self.sum(0)
        if self.peek():
            raise _Nonsense
        return found

    def peek(self) -> str:
        """Return the next token; an empty one at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        """Return the next token and go on."""
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def sum(self, floor: int) -> float:
        """Evaluate what is joined by operators that bind closer than ``floor``."""
        self.depth += 1
        if self.depth > GRAMMAR["depth"]:
            raise _Nonsense
        left = self.signed()
        while (strength := self.strength()) > floor:
            operator = self.take() if self.peek() in GRAMMAR["operators"] else "*"
            # a power is read from the right: 2^3^2 is 2^9
            left = _applied(operator, left, self.sum(strength - (operator == "^")))
        self.depth -= 1
        return left

    def strength(self) -> int:
        """Say how close the next operator binds; nothing follows with 0."""
        token = self.peek()
        if _is_number(token):
            raise _Nonsense  # 1 2
        if token in GRAMMAR["operators"]:
            return GRAMMAR["operators"][token]
        return 0 if token in ("", ")") else self.binding

    def signed(self) -> float:
        """Evaluate an operand: a sign and a power, or a number with its percent."""
        if self.peek() in ("+", "-"):
            sign = self.take()
            if self.peek() in ("+", "-"):
                raise _Nonsense  # --5 may be a slip of the finger
            operand = self.sum(_TIGHT)
            return -operand if sign == "-" else operand
        value = self.primary()
        while self.peek() in GRAMMAR["postfix"]:
            value = value / (GRAMMAR["postfix"][self.take()] / self.whole)
        return value

    def primary(self) -> float:
        """Evaluate a number, a constant, a function or what stands in brackets."""
        token = self.peek()
        if token == "(":
            return self.bracket()
        self.take()
        if _is_number(token):
            return _number(token) + (self.fraction() if token.isdigit() else 0)
        if token in GRAMMAR["constants"]:
            return GRAMMAR["constants"][token]
        if token not in GRAMMAR["functions"]:
            raise _Nonsense
        name = GRAMMAR["functions"][token]
        if name == "frac":
            return _applied("/", self.bracket(), self.bracket())
        if self.peek() == "(":
            return _applied(name, self.bracket())
        # log 2/3: of 2, or else of 2/3
        return _applied(name, self.sum(1 if self.binding == _TIGHT else 2))

    def bracket(self) -> float:
        """Evaluate what stands in brackets."""
        if self.take() != "(":
            raise _Nonsense
        value = self.sum(0)
        if self.take() != ")":
            raise _Nonsense
        return value

    def fraction(self) -> float:
        """Evaluate the fraction of a mixed number such as 1 7/8; 0 if there is none."""
        if "⁄" in self.peek():
            return _number(self.take())
        top, bar, bottom = (*self.tokens[self.at : self.at + 3], "", "", "")[:3]
        if top.isdigit() and bar == "/" and bottom.isdigit():
            self.at += 3
            return _applied("/", float(top), float(bottom))
        return 0.0


def _is_number(token: str) -> bool:
    return token[:1].isdigit() or token[:1] == "."


def _number(token: str) -> float:
    top, _, bottom = token.partition("⁄")
    return _applied("/", float(top), float(bottom or 1))


def _applied(name: str, *values: float) -> float:
    """Apply an operator or a function of the module math."""
    try:
        value = _OPERATIONS[name](*values)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise _NotFinite from None
    if not math.isfinite(value):
        raise _NotFinite
    return value


_OPERATIONS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
} | {n: getattr(math, n) for n in GRAMMAR["functions"].values() if n != "frac"}
