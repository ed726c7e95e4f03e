"""Runs somebody's function and comes back, also where the function never does."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any


class _Stop(BaseException):
    """Ends the thread that took too long; no ``except Exception`` catches it."""


def call(function: Callable[[], Any], seconds: float) -> Any:
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
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(_Stop)
        )
        thread.join(0.1)  # a loop in Python ends at its next step
    return not thread.is_alive()
