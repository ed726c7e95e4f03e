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
    compiled code ends only when it returns, and goes on in the background until then.

    Args:
        function: takes no argument.
        seconds: how long it may run.

    Returns:
        What the function returns.

    Raises:
        TimeoutError: it ran longer.
        Exception: whatever the function raises.
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
    thread.join(seconds)
    if thread.is_alive():
        stop = ctypes.py_object(_Stop)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), stop)
        thread.join(0.2)  # a loop in Python ends at its next step
        raise TimeoutError(f"ran for more than {seconds:g} seconds")
    if raised:
        raise raised[0]
    return returned[0]
