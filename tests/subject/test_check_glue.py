"""A number is published once, hidden where it is made, in full beside its text."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from shell import kernel

from jensengap import check
from jensengap.divergences import Estimate


def about(mean, stderr):
    f64 = {"dtype": torch.float64}
    return Estimate(torch.tensor(mean, **f64), torch.tensor(stderr, **f64))


@pytest.mark.parametrize(
    ("value", "spec", "text", "full"),
    [
        (-1.23456, ".3f", "−1.235", "[-1.23456]"),
        (torch.tensor(2.5), ".1f", "2.5", "[2.5]"),
        (0.1 + 0.2, ".1f", "0.3", "[0.30000000000000004]"),
        (-0.004, ".2f", "0.00", "[-0.004]"),
        (Fraction(1, 4), ".2f", "0.25", "[0.25]"),
        (sympy.Rational(1, 4), ".2f", "0.25", "[0.25]"),
        (np.array(0.25, ">f8"), ".2f", "0.25", "[0.25]"),
        (about(-1.0, 1 / 3), ".2f", "−1.00 ± 0.33", "[-1.0, 0.3333333333333333]"),
    ],
)
def test_glue_publishes_a_number_for_the_prose_and_hides_it(
    tmp_path, value, spec, text, full
):
    with kernel(tmp_path) as cell:
        check.glue("chapter-name", value, spec)
    (shown,) = cell.outputs
    prefix = "application/papermill.record/"
    # a repr, or the page would evaluate "0.280" and print 0.28
    in_words, in_full = prefix + "text/plain", prefix + check.VALUE
    assert shown.data == {in_words: repr(text), in_full: full}
    scrap = {"name": "chapter-name", "mime_prefix": prefix}
    assert shown.metadata == {"scrapbook": scrap}


def test_glue_publishes_a_text_as_it_is(tmp_path):
    with kernel(tmp_path) as cell:
        check.glue("chapter-name", "10¹²")
    (shown,) = cell.outputs
    assert list(shown.data.values()) == [repr("10¹²")]


def test_glue_says_nothing_in_a_plain_process(capsys):
    check.glue("chapter-name", 1.0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("broken", [math.nan, math.inf, about(1.0, math.nan)])
def test_glue_refuses_a_number_that_is_not_finite(broken):
    with pytest.raises(ValueError, match=r"chapter-name must be (finite|a number)"):
        check.glue("chapter-name", broken)


def test_chapters_find_it_among_the_checks():
    assert check.glue is check.glue
    assert check.VALUE == check.VALUE


@pytest.mark.parametrize("value", [1j, torch.tensor(1j), [1.0], np.ones(2)], ids=repr)
def test_glue_refuses_what_is_not_one_real_number(value):
    with pytest.raises(ValueError, match="chapter-name must be one number"):
        check.glue("chapter-name", value)
