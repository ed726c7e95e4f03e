"""A verdict that holds is shown once, for readers and for pages that list them."""

import json
import math

import pytest
from bs4 import BeautifulSoup
from shell import kernel

from jensengap import check

EQ = "eq-decomposition-terms"


def test_a_verdict_is_shown_once_and_carries_its_numbers(tmp_path):
    with kernel(tmp_path) as cell:
        made = check.identity(EQ, [1.0, 2.0], [1.0, 2.5], 0.5, case="a <b>")
        made._ipython_display_()  # as a notebook does with a cell's last value
    (shown,) = cell.outputs
    data = json.loads(json.dumps(shown.data[check.MIME], allow_nan=False))
    assert data == made._asdict()
    assert data == {
        "kind": "identity",
        "equation": EQ,
        "case": "a <b>",
        "left": 2.0,
        "right": 2.5,
        "error": 0.5,
        "tolerance": 0.5,
        "count": 2,
        "ok": True,
    }
    assert shown.data["text/plain"].startswith("✓ eq. decomposition-terms · a <b>  2.0")
    assert cell.stdout == ""


def test_the_markup_of_a_verdict_names_kind_and_equation_and_escapes(tmp_path):
    with kernel(tmp_path) as cell:
        check.bound(EQ, 1.0, 2.0, case="<b>")
    markup = cell.outputs[0].data["text/html"]
    assert f'class="jg-verdict" data-kind="bound" data-equation="{EQ}"' in markup
    assert f'href="#equation-{EQ}"' in markup
    assert '<span class="jg-sides">1.000000 ≤ 2.000000</span>' in markup
    assert '<span class="jg-error">slack 1.0</span>' in markup
    assert "&lt;b&gt;" in markup
    assert "<b>" not in markup


def test_a_refusal_is_marked_by_a_sign_and_a_word(tmp_path):
    with kernel(tmp_path) as cell:
        made = check.refuses(EQ, 2.0, 1.0, 0.5, case="a bug")
    (shown,) = cell.outputs
    assert shown.data[check.MIME] == made._asdict()
    line = BeautifulSoup(shown.data["text/html"], "html.parser").div
    assert line["data-kind"] == "refused identity"
    assert line.select_one(".jg-mark").get_text() == "✗"
    assert line.a.get_text() == "refused eq. decomposition-terms · a bug"
    assert line.select_one(".jg-sides").get_text() == "2.000000 ≠ 1.000000"


def test_the_line_on_the_page_carries_the_verdict_for_pages_that_list_them(tmp_path):
    with kernel(tmp_path) as cell:
        made = check.identity(EQ, 1.0, 1.0, case='"a" & <b>')
    line = BeautifulSoup(cell.outputs[0].data["text/html"], "html.parser").div
    assert json.loads(line["data-verdict"]) == made._asdict()


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("identity", 3.1e-15, "|Δ| 3e−15"),
        ("identity", 0.0, "|Δ| 0"),
        ("bound", 0.00374, "slack 0.0037"),
        ("bound", -5.6e-16, "slack −5.6e−16"),
        ("estimate", 1.26, "1.3 se"),
        ("refused identity", 0.26, "|Δ| 0.26"),
        ("refused bound", 3.14, "over by 3.1"),
        ("refused estimate", 31.4, "31 se"),
    ],
)
def test_an_error_is_written_as_its_kind_has_it(kind, error, text):
    assert check.measured(kind, error) == text


def test_a_failed_claim_shows_nothing(capsys, tmp_path):
    with kernel(tmp_path) as cell, pytest.raises(check.CheckError):
        check.identity(EQ, 1.0, 2.0)
    assert cell.outputs == []
    with pytest.raises(check.CheckError):
        check.identity(EQ, 1.0, 2.0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-1.9121944, 7, "−1.912194"),
        (0.0, 7, "0"),
        (-0.0, 7, "0"),
        (2.3e-16, 1, "2e−16"),
        (1234567.0, 7, "1.23e+06"),
        (0.05, 2, "0.050"),
        (-112.34567, 7, "−112.3457"),
        (math.inf, 7, "inf"),
        (-math.inf, 7, "−inf"),
        (4096.0, 2, "4096"),
    ],
)
def test_a_number_is_written_to_be_read(value, digits, text):
    assert check.number(value, digits) == text


def test_what_check_offers_is_what_verdict_defines():
    for name in ("MIME", "NUM_STDERR", "REFUSED", "CheckError", "Verdict", "number"):
        assert getattr(check, name) is getattr(check, name)


def test_a_verdict_that_does_not_hold_is_raised_with_exact_sides():
    broken = check.Verdict("identity", EQ, "toy", 0.1 + 0.2, 0.3, 1.0, 0.0, 1, ok=False)
    with pytest.raises(check.CheckError, match=r"0\.30000000000000004 and 0\.3"):
        check.conclude(broken)
