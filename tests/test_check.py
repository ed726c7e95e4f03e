"""A claim that holds is shown once; one that does not is an error with its numbers."""

import math

import pytest
import torch
from examples import given
from hypothesis import strategies as st
from shell import kernel

from jensengap import check
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
        for claim in (lambda: check.identity(EQ, 1.0, 1.0 + error, 0.5),
                      lambda: check.bound(EQ, 1.0 + error, 1.0, 0.5)):  # fmt: skip
            with pytest.raises(check.CheckError, match=r"allowed 0\.5"):
                claim()


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


@pytest.mark.parametrize("tolerance", [-1e-9, math.nan, math.inf])
def test_a_tolerance_that_would_pass_anything_is_refused(tolerance):
    for claim in (check.identity, check.bound):
        with pytest.raises(ValueError, match=f"at least 0 and finite, got {tolerance}"):
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
    with pytest.raises(ValueError, match=f"max_stderr must be positive.*got {most}"):
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
    if abs(left - right) <= allowed:
        assert check.identity(EQ, left, right, allowed).ok
    else:
        with pytest.raises(check.CheckError):
            check.identity(EQ, left, right, allowed)


@pytest.mark.parametrize(
    ("value", "spec", "text", "full"),
    [(-1.23456, ".3f", "−1.235", "[-1.23456]"),
     (torch.tensor(2.5), ".1f", "2.5", "[2.5]"),
     (0.1 + 0.2, ".1f", "0.3", "[0.30000000000000004]"),
     (-0.004, ".2f", "0.00", "[-0.004]"),
     (about(-1.0, 1 / 3), ".2f", "−1.00 ± 0.33", "[-1.0, 0.3333333333333333]")],
)  # fmt: skip
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
    with pytest.raises(ValueError, match="chapter-name must be finite"):
        check.glue("chapter-name", broken)
