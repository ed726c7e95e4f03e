"""Every number in the text comes from a cell that asserted it."""

import ast

import pytest
from claims import unasserted
from reading import imports_as, trees

from tools.book.toc import pages


def glued(code):
    """What a cell glues as ``"n"`` and does not assert."""
    return unasserted(ast.parse(code), frozenset({"torch", "check"}))


@pytest.mark.parametrize("page", pages())
def test_a_glued_number_was_asserted_in_its_cell(page):
    for cell in trees(page):
        wanting = unasserted(cell, frozenset(imports_as(page)))
        assert not wanting, "assert in the same cell what the sentence says of these"


@pytest.mark.parametrize(
    "code",
    [
        "assert 1 < a < 2\ncheck.glue('n', a)",
        "check.glue('n', a)\nassert a.mean() > b",
        "check.identity('eq-a-b', a, b)\ncheck.glue('n', a - b, '.2f')",
        "check.estimate('eq-a-b', a, b, max_stderr=1.0)\ncheck.glue('n', a)",
        # computed in the cell, from nothing but what was asserted
        "assert a > 0\nb = 2 * a\nc = [f(x) for x in (a, b)]\ncheck.glue('n', c[0])",
        "a, b = f(z)\nassert a < b\ncheck.glue('n', a)\ncheck.glue('m', b)",
        "assert a > 0\nfor b in a:\n    check.glue('n', b)",
        "assert a > 0\ncheck.glue('n', f'10{str(round(a))}')",
        # asserted one by one
        "for b in (a, c):\n    assert b > 0\ncheck.glue('n', a)",
        "z = (1, a), (2, c)\nfor k, b in z:\n    assert b > 0\ncheck.glue('n', a)",
        "for k, b in zip(d, [a]):\n    assert b > 0\ncheck.glue('n', a)",
        "assert a > 0\ncheck.glue('n', torch.log(a), spec)",
        # the very expression
        "assert f(3) > 2\ncheck.glue('n', f(3))",
        "assert len(a) < 60\ncheck.glue('n', len(a), '.0f')",
        "assert (a - b).abs() < 1\ncheck.glue('n', a - b)",
    ],
)
def test_an_asserted_number_may_be_glued(code):
    assert not glued(code)


@pytest.mark.parametrize(
    "code",
    [
        "check.glue('n', a)",
        "assert b > 0\ncheck.glue('n', a)",
        "assert b > 0\ncheck.glue('n', a - b)",
        # a relative is not enough: what was asserted came from a, and so did c
        "b, c = f(a), g(a)\nassert b > 0\ncheck.glue('n', c)",
        "b = f(a)\nassert b > 0\ncheck.glue('n', a)",
        "for b in f(a):\n    assert b > 0\ncheck.glue('n', a)",
        # about its name, and not about its value
        "assert len(a) == 2\ncheck.glue('n', a)",
        "assert a.shape == (2,)\ncheck.glue('n', a)",
        "assert a.isfinite() and torch.isfinite(a)\ncheck.glue('n', a)",
        "check.identity(a, b, b)\ncheck.glue('n', a)",
        "check.identity('eq-a-b', b, b, case=a)\ncheck.glue('n', a)",
        # no data at all: typed, or computed from what nobody sees
        "check.glue('n', 0.913)",
        "assert f(2) > 2\ncheck.glue('n', f(3))",
        # the assertion is about another name
        "def f(a):\n    assert a > 0\ncheck.glue('n', a)",
        "def f(a):\n    assert a > 0\n    check.glue('n', a)",
        "assert a > 0\na = a + b\ncheck.glue('n', c)",
        "a = a\ncheck.glue('n', a)",
    ],
)
def test_a_number_that_was_not_asserted_may_not(code):
    assert glued(code) == ["n"]
