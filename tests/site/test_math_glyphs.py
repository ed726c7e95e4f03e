"""MathJax's font without what no formula draws: smaller, and whole where it is used."""

import re

import pytest

from _ext.pages import math_glyphs, offline_math


@pytest.fixture(scope="module")
def font():
    path = offline_math._source() / offline_math.FONT
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def smaller(font):
    return math_glyphs.subset(font)


def _outlines(font):
    return {int(code) for code in re.findall(r'[{,](\d+):"', font)}


def test_what_is_left_is_less_than_a_third(font, smaller):
    assert len(smaller) < len(font) / 3


def test_letters_greek_and_signs_keep_their_outlines(font, smaller):
    assert {*map(ord, "aZ09+=αωΣ∫∑∏∇≤≈∈∥𝔼")} & _outlines(font) <= _outlines(smaller)
    italic = {0x1D465, 0x1D703}  # x and θ as formulas have them
    assert italic <= _outlines(font) & _outlines(smaller)


def test_alphabets_without_a_use_lose_theirs(font, smaller):
    fraktur = {0x1D51E, 0x1D51F}
    assert fraktur <= _outlines(font)
    assert not fraktur & _outlines(smaller)


def test_no_letter_outside_the_ranges_is_left(smaller):
    assert all(math_glyphs._kept(code) for code in _outlines(smaller))


def test_brackets_still_match_and_no_list_begins_with_a_comma(font, smaller):
    for pair in ("{}", "()", "[]"):
        assert smaller.count(pair[0]) - smaller.count(pair[1]) == font.count(
            pair[0]
        ) - font.count(pair[1])
    assert "{," not in smaller


def test_another_script_is_refused():
    with pytest.raises(ValueError, match=r"MathJax 3\.2"):
        math_glyphs.subset("(() => { return 1; })()" * 100)
