"""What people write for a number is read, in a kernel and in a page alike."""

import math
import random
import time

import pytest
from examples import given
from hypothesis import strategies as st
from opened import opened, written
from typed import TYPED, WITH_UNITS, readings

from jensengap.exercises import reading
from jensengap.markup import scripted

READ_ALL = """([grammar, rows]) => rows.map(([text, unit]) => {
  const found = jensengap.reading.read(text, unit, grammar);
  const values = found.values.map(value => Number.isFinite(value) ? value : null);
  const shown = found.values.filter(Number.isFinite).map(jensengap.reading.shown);
  const empty = jensengap.reading.isEmpty(text, grammar);
  return [values, found.unit, found.plain, shown, empty];
})"""
# glibc and a browser may round a logarithm or a power to another last bit
ROUNDING = 1e-14


def in_kernel(text, unit):
    values, other, plain = reading.read(text, unit)
    finite = [value if math.isfinite(value) else None for value in values]
    shown = [reading.shown(value) for value in values if math.isfinite(value)]
    return [finite, other, plain, shown, reading.is_empty(text)]


@pytest.fixture(scope="module")
def in_page(browser, tmp_path_factory):
    """Return a function that reads many texts in one call of a browser."""
    path = written(tmp_path_factory.mktemp("reading"), "<p>Numbers.</p>")

    def read(rows):
        with opened(browser, path) as watched:
            watched.page.add_script_tag(content=scripted.script("reading"))
            found = watched.page.evaluate(READ_ALL, [reading.GRAMMAR, rows])
            assert watched.complaints == []
        return found

    return read


def is_near(found, expected):
    return len(found) == len(expected) and all(
        a == b or (None not in (a, b) and math.isclose(a, b, rel_tol=ROUNDING))
        for a, b in zip(found, expected, strict=True)
    )


def agree(page, kernel):
    return is_near(page[0], kernel[0]) and page[1:] == kernel[1:]


@pytest.mark.parametrize("text", TYPED, ids=lambda text: ascii(text[:30]))
def test_a_text_says_what_people_mean_by_it(text):
    found = in_kernel(text, "nats")
    assert is_near(found[0], readings(TYPED[text]))
    assert found[1] == ""


@pytest.mark.parametrize(("text", "unit"), WITH_UNITS)
def test_a_unit_is_the_one_asked_for_or_is_named(text, unit):
    values, other = WITH_UNITS[text, unit]
    found = reading.read(text, unit)
    assert is_near(found.values, values)
    assert found.unit == other


def test_the_page_reads_the_table_as_the_kernel_does(in_page):
    rows = [[text, "nats"] for text in TYPED] + [list(row) for row in WITH_UNITS]
    assert len(rows) >= 150
    for row, page in zip(rows, in_page(rows), strict=True):
        assert agree(page, in_kernel(*row)), row


def expression(rng, depth=3):
    """Write a random expression as people would, or nearly."""
    number = rng.choice(
        ["2", "0.5", ".25", "1,5", "1 7/8", "½", "3e-4", "14,137", "1½"]
    )
    if depth == 0:
        return rng.choice([number, number, "π", "e", "2π"])
    inner = expression(rng, depth - 1)
    name = rng.choice(["log ", "ln", "√", "sqrt", "exp", "-", "log2 ", "log2", ""])
    sign = rng.choice(["+", "-", " − ", "*", "·", "/", "÷", "^", " ", "", "**", "%"])
    return rng.choice(
        [f"({inner})", f"{name}({inner})", f"{name}{inner}", f"{inner}²"]
        + [f"{inner}{sign}{expression(rng, depth - 1)}"] * 3
    )


def test_random_expressions_are_read_alike_in_page_and_kernel(in_page):
    rng = random.Random(0)
    rows = [[expression(rng), rng.choice(["", "nats", "%"])] for _ in range(3000)]
    # and texts that are broken somewhere
    signs = "0123456789.,'  +-−*/^()%½√πeE=±lognats\\{}"
    for row in rows[::2]:
        at = rng.randrange(len(row[0]))
        row[0] = row[0][:at] + rng.choice(signs) + row[0][at + rng.randrange(2) :]
    rows += [
        ["".join(rng.choices(signs, k=rng.randrange(12))), ""] for _ in range(3000)
    ]
    kernel = [in_kernel(*row) for row in rows]
    assert sum(bool(each[0]) for each in kernel) > 1500
    for row, page, own in zip(rows, in_page(rows), kernel, strict=True):
        assert agree(page, own), (row, page, own)


floats = st.floats(allow_nan=False, allow_infinity=False)


@given(floats)
def test_any_float_that_is_printed_is_read_back(value):
    for text in (repr(value), repr(value).replace("-", "−"), f"x ≈ {value!r} nats"):
        assert reading.read(text, "nats").values[0] == value
    assert reading.read(repr(value)).plain


@given(st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-4 or value == 0))
def test_a_number_is_read_back_from_the_custom_of_any_country(value):
    english = f"{value:,.6f}"
    rounded = float(f"{value:.6f}")
    german = english.translate(str.maketrans(",.", ".,"))
    for text in (
        *(english, german, english.replace(",", "'"), german.replace(".", "’")),
        *(english.replace(",", "\u202f"), german.replace(".", " ")),
        *(f"{value:.6f}".replace(".", ","), f"{value:_.6f}"),
    ):
        assert rounded in reading.read(text).values, text


@given(st.floats(-1e300, 1e300))
def test_what_is_echoed_is_the_number_to_ten_digits(value):
    again = reading.read(reading.shown(value)).values[0]
    assert math.isclose(again, value, rel_tol=1e-9)


@given(st.text(max_size=250))
def test_no_text_is_an_error(text):
    found = reading.read(text)
    assert all(isinstance(value, float) for value in found.values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.875, "1.875"), (-0.25, "−0.25"), (0.0, "0"), (-0.0, "0"), (14137.0, "14137"),
        (1 / 3, "0.3333333333"), (3e-7, "3e−7"), (1e15, "1e15"), (0.0001, "0.0001"),
        (123456789012.0, "123456789000"), (1e-300, "1e−300"),
    ],
)  # fmt: skip
def test_an_echo_is_short_and_exact(value, text):
    assert reading.shown(value) == text


def test_reading_is_quick_for_answers_and_for_attacks():
    def milliseconds(text, times):
        began = time.thread_time()
        for _ in range(times):
            reading.read(text)
        return (time.thread_time() - began) / times * 1e3

    # measured: 0.04 to 0.1 ms, and 0.7 ms for the worst of the table
    for text in ("14137.73", "1 7/8", "½ log 2π + log(3)/2"):
        assert min(milliseconds(text, 20) for _ in range(5)) < 1
    for text in TYPED:
        assert milliseconds(text, 1) < 100, text[:40]
