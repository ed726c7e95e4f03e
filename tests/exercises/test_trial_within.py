"""A function that never ends is stopped, and one that raises raises."""

import threading
import time

import pytest

from jensengap.exercises import trial


def test_what_the_function_returns_comes_back():
    assert trial.within(lambda: 42, 5.0) == 42


def test_a_loop_that_never_ends_is_stopped_and_leaves_no_thread_behind():
    def endless():
        while True:
            pass

    before = threading.active_count()
    with pytest.raises(TimeoutError, match=r"more than 0\.2 seconds and was stopped"):
        trial.within(endless, 0.2)
    for _ in range(50):
        if threading.active_count() == before:
            break
        time.sleep(0.1)
    assert threading.active_count() == before


def test_a_loop_that_catches_every_exception_is_stopped_as_well():
    def stubborn():
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    before = threading.active_count()
    with pytest.raises(TimeoutError):
        trial.within(stubborn, 0.2)
    for _ in range(50):
        if threading.active_count() == before:
            break
        time.sleep(0.1)
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_an_error_is_raised_to_the_caller(error):
    def fails():
        raise error

    with pytest.raises(type(error)) as raised:
        trial.within(fails, 5.0)
    assert raised.value is error
