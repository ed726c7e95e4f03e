"""A claim that holds is shown once; one that does not is an error with its numbers."""

import math
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import sympy
import torch
from examples import given
from hypothesis import strategies as st

from jensengap import check, numeric
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}
EQ = "eq-decomposition-terms"


def about(mean, stderr):
    return Estimate(torch.tensor(mean, **F64), torch.tensor(stderr, **F64))


def test_an_identity_prints_one_line_in_a_plain_process(capsys):
    check.identity(EQ, -1.912194, -1.912194 + 2e-16)
    line = "✓ eq. decomposition-terms  −1.912194 = −1.912194  |Δ| 2e−16\n"
    assert capsys.readouterr().out == line


def test_a_bound_and_an_estimate_print_theirs(capsys):
    check.bound("eq-elbo-jensen", -2.25, -1.5, case="10 000 q")
    check.estimate("eq-a-b", about([1.5, 2.0], [0.5, 0.5]), [1.0, 2.0], max_stderr=1.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "✓ eq. elbo-jensen · 10 000 q  −2.250000 ≤ −1.500000  slack 0.75",
        "✓ eq. a-b  1.500000 ± 0.50 ≈ 1.000000  1.0 se, worst of 2",
    ]


def test_a_broken_identity_says_both_sides_the_error_and_what_was_allowed():
    with pytest.raises(check.CheckError) as error:
        check.identity(EQ, [1.0, 2.0], [1.0, 2.25], 1e-12, case="toy")
    for part in (EQ, "toy", "2.0", "2.25", "0.2", "1e-12", "worst of 2"):
        assert part in str(error.value)


def test_a_broken_bound_says_how_far():
    with pytest.raises(
        check.CheckError, match=r"slack −0\.50.*allowed 0\.1.*3\.5 and 3"
    ):
        check.bound(EQ, [0.0, 3.5], [1.0, 3.0], 0.1)


@pytest.mark.parametrize("error", [0.5, 0.51])
def test_the_tolerance_itself_is_allowed_and_no_more(error):
    if error <= 0.5:
        assert check.identity(EQ, 1.0, 1.0 + error, 0.5).error == error
        assert check.bound(EQ, 1.0 + error, 1.0, 0.5).error == -error
    else:
        for claim in (
            lambda: check.identity(EQ, 1.0, 1.0 + error, 0.5),
            lambda: check.bound(EQ, 1.0 + error, 1.0, 0.5),
        ):
            with pytest.raises(check.CheckError, match=r"allowed 0\.5"):
                claim()


@pytest.mark.parametrize(("side", "other"), [(0.4, 0.395), (0.405, 0.4), (1.1, 1.105)])
def test_rounding_pushes_no_difference_over_the_edge_of_a_tolerance(side, other):
    assert abs(side - other) != 0.005  # on paper it is
    for scale in (1.0, -1.0):
        assert check.identity(EQ, side * scale, other * scale, 0.005).ok
        assert check.bound(EQ, side * scale, other * scale, 0.005).ok
        with pytest.raises(check.CheckError):
            check.identity(EQ, side * scale, other * scale, 0.005 / 1.001)
        with pytest.raises(check.CheckError, match="not refused"):
            check.refuses(EQ, side * scale, other * scale, 0.005)


def test_the_edge_of_an_error_bar_belongs_to_it():
    four = about([0.7], [0.1]), [0.3]
    assert (0.7 - 0.3) / 0.1 != 4
    assert check.estimate(EQ, *four, max_stderr=0.1).ok
    assert check.estimate(EQ, about([1.0], [0.1 + 0.2]), [1.0], max_stderr=0.3).ok


SIDES = np.array([1.0, 2.5])


@pytest.mark.parametrize(
    "side",
    [
        SIDES[::-1].copy()[::-1], SIDES.astype(">f8"), SIDES.tolist(), (1, 2.5),
        SIDES.astype(np.longdouble), [Fraction(1), Fraction(5, 2)], [1, Decimal("2.5")],
        [sympy.Integer(1), sympy.Rational(5, 2)], torch.tensor([1.0, 2.5]),
        [torch.tensor(1.0, requires_grad=True), np.float32(2.5)],
    ],
    ids=lambda side: type(side[1]).__name__,
)  # fmt: skip
def test_a_side_may_hold_numbers_of_any_library_in_any_order_of_bytes(side):
    assert check.identity(EQ, side, SIDES, 0.0).right == 1.0
    assert check.bound(EQ, SIDES, side).ok


@pytest.mark.parametrize(
    "side",
    [1j, np.array(1 + 0j), torch.tensor(1 + 0j), "1", np.ma.masked, [None], object],
    ids=repr,
)
def test_a_side_that_is_no_real_number_is_refused_and_not_cut(side):
    for pair in ((side, 1.0), (1.0, side)):
        with pytest.raises(ValueError, match=r"^numbers must be"):
            check.identity(EQ, *pair)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("both", [False, True])
def test_a_side_that_is_not_finite_proves_nothing(broken, both):
    left, right = [0.0, broken], [0.0, broken if both else 0.0]
    for sides in ((left, right), (right, left)):
        with pytest.raises(check.CheckError, match=EQ):
            check.identity(EQ, *sides, 1e9)
        with pytest.raises(check.CheckError, match=EQ):
            check.bound(EQ, *sides, 1e9)
        if not both:
            continue
        with pytest.raises(check.CheckError, match=EQ):
            check.estimate(EQ, about(left, [1.0, 1.0]), right, max_stderr=2.0)


def refused(least, limit):
    """Word the refusal of a limit; NaN is refused as no number."""
    if math.isnan(limit):
        return "must be a number, got NaN"
    return f"must be {least} and finite, got {limit}"


@pytest.mark.parametrize("tolerance", [-1e-9, math.nan, math.inf])
def test_a_tolerance_that_would_pass_anything_is_refused(tolerance):
    for claim in (check.identity, check.bound):
        with pytest.raises(
            ValueError,
            match=f"(least 0 and finite|a number), got {tolerance}".replace(
                "nan", "NaN"
            ),
        ):
            claim(EQ, 1.0, 1.0, tolerance)


@pytest.mark.parametrize("off", [-3.9, 3.9, -4.1, 4.1])
def test_an_estimate_is_judged_at_four_of_its_own_standard_errors(off):
    estimated = about([1.0, 5.0 + 0.01 * off], [0.5, 0.01])
    if abs(off) < 4:
        verdict = check.estimate(EQ, estimated, [1.0, 5.0], max_stderr=0.5)
        assert abs(verdict.error - abs(off)) < 1e-9
        assert verdict.tolerance == 4
        return
    with pytest.raises(check.CheckError, match=r"4\.1 se, .*allowed 4 se"):
        check.estimate(EQ, estimated, [1.0, 5.0], max_stderr=0.5)


@pytest.mark.parametrize("stderr", [0.0, 0.6, math.inf, math.nan])
def test_an_error_bar_that_is_none_or_holds_everything_is_refused(stderr):
    wanted = r"must be in \(0, 0\.5\].*draw more samples"
    with pytest.raises(check.CheckError, match=wanted):
        check.estimate(EQ, about([1.0, 1.0], [0.1, stderr]), [1.0, 1.0], max_stderr=0.5)


@pytest.mark.parametrize("most", [0.0, -1.0, math.inf, math.nan])
def test_a_largest_error_bar_must_be_one(most):
    with pytest.raises(
        ValueError, match=f"max_stderr must be .*, got {most}".replace("nan", "NaN")
    ):
        check.estimate(EQ, about(1.0, 0.1), 1.0, max_stderr=most)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1.0, 2.0], 1.0),
        ([[1.0]], [1.0]),
        ([], []),
        (torch.ones(2, 3), torch.ones(3, 2)),
    ],
)
def test_sides_of_different_shape_or_without_values_are_refused(left, right):
    for claim in (check.identity, check.bound):
        with pytest.raises(
            ValueError, match=r"same shape.*\(.*\) and \(.*compare like"
        ):
            claim(EQ, left, right)


def test_an_estimate_of_another_shape_than_its_truth_is_refused():
    with pytest.raises(ValueError, match="same shape"):
        check.estimate(EQ, about([1.0, 1.0], [0.1, 0.1]), 1.0, max_stderr=1.0)
    with pytest.raises(ValueError, match="same shape"):
        check.estimate(EQ, about([1.0, 1.0], 0.1), [1.0, 1.0], max_stderr=1.0)


@pytest.mark.parametrize("label", ["decomposition-terms", "Eq-x", ""])
def test_a_label_that_is_none_is_refused_by_name(label):
    with pytest.raises(ValueError, match=f"starts with 'eq-', got '{label}'"):
        check.identity(label, 1.0, 1.0)


def test_sides_may_carry_gradients_and_float32():
    left = torch.ones(3, requires_grad=True)
    verdict = check.identity(EQ, left * 2, torch.full((3,), 2))
    assert verdict.count == 3
    assert verdict.ok


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3))
def test_an_identity_holds_exactly_when_the_difference_is_allowed(left, off, allowed):
    right = left + off
    # an edge belongs to the tolerance, and a billionth of it for rounding
    if abs(left - right) <= allowed * (1 + numeric.SLACK):
        assert check.identity(EQ, left, right, allowed).ok
    else:
        with pytest.raises(check.CheckError):
            check.identity(EQ, left, right, allowed)


def test_a_mistake_is_refused_and_the_line_says_so(capsys):
    made = check.refuses(EQ, [1.0, 2.5], [1.0, 2.0], 0.1, case="a bug")
    assert made.ok
    assert made.kind == "refused identity"
    assert made[3:8] == (2.5, 2.0, 0.5, 0.1, 2)
    check.refuses("eq-elbo-gap", -1.0, -3.0, 1.0, kind="bound")
    check.refuses("eq-a-b", about(3.0, 0.1), 1.0, 10.0, kind="estimate")
    assert capsys.readouterr().out.splitlines() == [
        "✗ refused eq. decomposition-terms · a bug  2.500000 ≠ 2.000000  |Δ| 0.50, "
        "worst of 2",
        "✗ refused eq. elbo-gap  −1.000000 ≰ −3.000000  over by 2.0",
        "✗ refused eq. a-b  3.000000 ± 0.10 ≉ 1.000000  20 se",
    ]


@pytest.mark.parametrize("off", [-2.0, -0.5, 0.0, 0.5, 2.0])
def test_what_a_check_accepts_at_the_margin_is_never_refused_there(off):
    bars = about([off, 0.0], [0.1, 0.1])
    claims = {
        "identity": lambda: check.identity(EQ, [off, 0.0], [0.0, 0.0], 1.0),
        "bound": lambda: check.bound(EQ, [off, 0.0], [0.0, 0.0], 1.0),
        "estimate": lambda: check.estimate(EQ, bars, [0.0, 0.0], max_stderr=1.0),
    }
    fails = {"identity": abs(off) > 1, "bound": off > 1, "estimate": abs(off) > 0.4}
    for kind, claim in claims.items():
        wrong = bars if kind == "estimate" else [off, 0.0]
        margin = 4.5 if kind == "estimate" else 1.0
        refusal = partial(check.refuses, EQ, wrong, [0.0, 0.0], margin, kind=kind)
        passes, raises = (refusal, claim) if fails[kind] else (claim, refusal)
        assert passes().ok
        with pytest.raises(check.CheckError):
            raises()


def test_a_mistake_that_goes_unnoticed_is_an_error():
    wanted = r"toy\) is not refused: .*\|Δ\| 0\.50, wanted more than 0\.5\. "
    with pytest.raises(check.CheckError, match=wanted):
        check.refuses(EQ, 1.5, 1.0, 0.5, case="toy")
    with pytest.raises(check.CheckError, match="5 se, wanted more than 6 se"):
        check.refuses(EQ, about(1.5, 0.1), 1.0, 6.0, kind="estimate")
    with pytest.raises(check.CheckError, match=r"over by −0\.50, wanted more than 0"):
        check.refuses(EQ, 1.0, 1.5, 0.5, kind="bound")


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_refuses_nothing(broken):
    for sides in (([broken, 9.0], [0.0, 0.0]), ([0.0, 9.0], [broken, 0.0])):
        with pytest.raises(check.CheckError, match="compare what stays finite"):
            check.refuses(EQ, *sides, 1.0)
    for stderr in (0.0, broken):
        with pytest.raises(check.CheckError):
            check.refuses(EQ, about(9.0, stderr), 0.0, 5.0, kind="estimate")


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_at_which_a_check_could_have_passed_is_refused(margin):
    with pytest.raises(
        ValueError,
        match=f"(above 0 and finite|a number), got {margin}".replace("nan", "NaN"),
    ):
        check.refuses(EQ, 2.0, 1.0, margin)
    with pytest.raises(ValueError, match="above 4 and finite, got 4"):
        check.refuses(EQ, about(9.0, 0.1), 1.0, 4.0, kind="estimate")


def test_a_refusal_compares_like_with_like_and_knows_its_kind():
    with pytest.raises(ValueError, match="same shape"):
        check.refuses(EQ, [1.0, 2.0], 1.0, 0.1)
    with pytest.raises(ValueError, match="same shape"):
        check.refuses(EQ, about([9.0, 9.0], 0.1), [1.0, 1.0], 5.0, kind="estimate")
    with pytest.raises(ValueError, match=r"kind must be .* got 'hunch'"):
        check.refuses(EQ, 2.0, 1.0, 0.1, kind="hunch")
