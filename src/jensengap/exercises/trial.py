"""Call a reader's function safely: errors caught, output cut, time limited.

Whatever it does becomes its results or one sentence; no error gets through.
"""

from __future__ import annotations

import ctypes
import inspect
import io
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from torch import Tensor

SECONDS = 5.0  # for all cases together
LINES = 100  # that a function may print


class Refused(Exception):
    """Raised for an answer that cannot be compared; says why, for the reader."""


class Open(Exception):
    """Raised where there is no answer yet; may say what is missing."""


class _Brief(io.TextIOBase):
    """Text stream that passes on a limited number of lines."""

    def __init__(self, target: Any) -> None:
        self.target, self.left = target, LINES

    def write(self, text: str) -> int:
        """Write, or drop what is too much."""
        if self.left > 0:
            self.left -= text.count("\n") + len(text) // 200
            self.target.write(text)
            if self.left <= 0:
                self.target.write("… and more, which is not shown.\n")
        return len(text)


def short(value: Any, length: int = 40) -> str:
    """Describe a value in few characters and on one line.

    Args:
        value: anything.
        length: the most characters.

    Returns:
        Its ``repr``, cut where it is longer.
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody's own class
        text = object.__repr__(value)
    return _cut(text, length)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


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


def call(function: Callable[..., Any], cases: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Call a function at each case.

    Args:
        function: of as many arguments as a case has.
        cases: arguments by name; they are given in their order.

    Returns:
        What it returned, for each case.

    Raises:
        Open: it has no body yet.
        Refused: it cannot be called so, failed, or took too long.
    """
    _takes(function, tuple(cases[0]))

    def calls() -> list[Any]:
        return [_called(function, case) for case in cases]

    try:
        # of the whole process, so the function's thread prints there as well
        with redirect_stdout(_Brief(sys.stdout)):
            return within(calls, SECONDS)
    except TimeoutError as error:
        raise Refused(
            f"The function {error}; look for a loop that never ends, or for far too "
            "many steps."
        ) from None


def _takes(function: Callable[..., Any], names: tuple[str, ...]) -> None:
    """Refuse a function that cannot be called with these arguments."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise Refused(
            "Wanted is a function that returns its result, and yours is async or "
            "yields; write return instead."
        )
    try:
        inspect.signature(function).bind(*names)
    except ValueError:  # compiled code may not tell
        return
    except TypeError:
        count = f"{len(names)} argument{'s' * (len(names) != 1)}"
        raise Refused(
            f"Wanted is a function of {count} in this order, ({', '.join(names)}), "
            f"and yours takes {_cut(str(inspect.signature(function)), 80)}."
        ) from None


def _called(function: Callable[..., Any], case: Mapping[str, Any]) -> Any:
    # copies: a function that changes its arguments in place harms nobody
    values = [v.clone() if isinstance(v, Tensor) else v for v in case.values()]
    try:
        return function(*values)
    except BaseException as error:  # also SystemExit: nothing may end the kernel
        own = _own_line(function, error)
        unwritten = isinstance(error, NotImplementedError) and not error.args
        if unwritten and own and own == _last_line(error):
            raise Open from None
        raise Refused(
            f"The function stopped{at(case)} with {_said(error)}{own}."
        ) from None


def _said(error: BaseException) -> str:
    """Say what an error is, on one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # somebody's own class
        text = ""
    return f"{type(error).__name__}: {_cut(text, 160)}".rstrip(": .")


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def _last_line(error: BaseException) -> str:
    return _line(_frames(error)[-1])


def _line(frame: traceback.FrameSummary) -> str:
    return f" (line {frame.lineno}: {_cut((frame.line or frame.name).strip(), 60)})"


def _own_line(function: Callable[..., Any], error: BaseException) -> str:
    """Name the last line of the function's own file; nothing where there is none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    own = [f for f in _frames(error) if code and f.filename == code.co_filename]
    return _line(own[-1]) if own else ""


class _Stop(BaseException):
    """Raised in a thread that took too long; no ``except Exception`` catches it."""


def within(function: Callable[[], Any], seconds: float) -> Any:
    """Call a function, and stop it when its time is over.

    A thread of its own does the work, since a signal would reach the main thread only,
    and on some systems there is none. A loop in Python ends; a single call into
    compiled code ends only when it returns, and goes on in the background until then;
    so does what catches everything.

    Args:
        function: takes no argument.
        seconds: how long it may run.

    Returns:
        What the function returns.

    Raises:
        TimeoutError: it ran longer; says whether it was stopped.
        BaseException: whatever the function raises.
    """
    returned: list[Any] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            returned.append(function())
        except BaseException as error:  # also SystemExit: nothing may end the kernel
            raised.append(error)

    # daemon: what cannot be stopped does not keep the kernel from ending
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:  # a reader may interrupt the wait, too
        late, stopped = thread.is_alive(), _stop(thread)
    if late:
        end = "was stopped" if stopped else "could not be stopped: restart the kernel"
        raise TimeoutError(f"ran for more than {seconds:g} seconds and {end}")
    if raised:
        raise raised[0]
    return returned[0]


def _stop(thread: threading.Thread) -> bool:
    """Ask a thread to end; say whether it has."""
    for _ in range(10):  # what catches one request may not catch the next
        if not thread.is_alive():
            return True
        # raises in the other thread at its next bytecode: there is no politer way
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(_Stop)
        )
        thread.join(0.1)  # a loop in Python ends at its next step
    return not thread.is_alive()
