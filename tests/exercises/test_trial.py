"""A reader's function may do what it likes: it ends in results or in a sentence."""

import threading
import time

import pytest
import torch

from jensengap.exercises import trial

CASES = ({"a": 2.0}, {"a": 3.0})


def test_a_function_is_called_at_each_case():
    assert trial.call(lambda a: a**2, CASES) == [4.0, 9.0]


def test_what_it_prints_is_shown_up_to_a_hundred_lines(capsys):
    def talks(a):
        for line in range(1000):
            print("line", line)
        return a

    assert trial.call(talks, CASES) == [2.0, 3.0]
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["line 0", "line 1"]
    assert said[-1] == "… and more, which is not shown."
    assert len(said) == trial.LINES + 1


def test_the_line_that_is_named_is_the_readers_own():
    def fails(a):
        return torch.distributions.Normal(0.0, -a).log_prob(torch.tensor(1.0))

    with pytest.raises(trial.Refused, match=r"return torch\.distributions\.Normal"):
        trial.call(fails, CASES)


def test_an_error_is_one_short_line():
    def fails(a):
        raise ValueError("many\nlines " * 100)

    with pytest.raises(trial.Refused) as refused:
        trial.call(fails, CASES)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_what_catches_every_request_to_stop_is_not_called_stopped(monkeypatch):
    go_on = [True]

    def stubborn(a):
        while go_on[0]:
            try:
                time.sleep(0.01)
            except BaseException:
                continue
        return a

    monkeypatch.setattr(trial, "SECONDS", 0.1)
    before = threading.active_count()
    with pytest.raises(trial.Refused, match="could not be stopped: restart"):
        trial.call(stubborn, CASES)
    go_on[0] = False
    for _ in range(50):
        if threading.active_count() == before:
            break
        time.sleep(0.1)
    assert threading.active_count() == before


def test_a_case_is_named_by_what_is_short():
    case = {"a": 2.0, "kind": "reverse", "log_w": torch.zeros(9)}
    assert trial.at(case) == " at a = 2, kind = reverse"
    assert trial.at({}) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.5, "1.5"), ("a  b", "'a b'"), ("x" * 99, "'" + "x" * 38 + "…")],
)
def test_a_value_is_said_in_few_characters(value, said):
    assert trial.short(value) == said
