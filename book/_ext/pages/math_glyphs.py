"""Subset MathJax's font to the letters and signs that the book's formulas draw."""

import re

# First and last code point. What is not here is drawn in the reader's own fonts, so a
# formula with another letter (\mathfrak, say) stays legible; a test in the browser
# finds it, and the answer is to add it here.
KEPT = (
    (0x0020, 0x00FF),  # ASCII, and ¬ ± × ÷
    (0x0131, 0x0131),  # ı and
    (0x0237, 0x0237),  # ȷ, below accents
    (0x02C6, 0x02DD),  # accents
    (0x0300, 0x0338),  # and those that combine
    (0x0391, 0x03F6),  # Greek
    (0x2013, 0x2044),  # dashes, primes, dots
    (0x2061, 0x2064),  # what is heard and not seen
    (0x210E, 0x2118),  # ℏ ℑ ℓ ℘
    (0x211C, 0x211D),  # ℜ ℝ
    (0x2190, 0x2199),  # arrows
    (0x21A6, 0x21A6),  # ↦
    (0x21D0, 0x21D4),  # ⇒ and its kin
    (0x2200, 0x220F),  # ∀ ∂ ∃ ∅ ∇ ∈ ∋ ∏
    (0x2211, 0x2213),  # ∑ − ∓
    (0x2216, 0x222E),  # ∖ ∗ ∘ √ ∝ ∞ ∠ ∣ ∥ ∧ ∨ ∩ ∪ ∫ ∬ ∮
    (0x223C, 0x224D),  # ∼ ≃ ≅ ≈
    (0x2260, 0x226B),  # ≠ ≡ ≤ ≥ ≪ ≫
    (0x227A, 0x227B),  # ≺ ≻
    (0x2282, 0x2287),  # ⊂ ⊃ ⊆ ⊇
    (0x2295, 0x2299),  # ⊕ ⊗ ⊙
    (0x22A2, 0x22A8),  # ⊢ ⊤ ⊥ ⊨
    (0x22C0, 0x22C6),  # ⋀ ⋁ ⋂ ⋃ ⋅ ⋆
    (0x22EE, 0x22F1),  # ⋮ ⋯ ⋱
    (0x2308, 0x230B),  # ⌈ ⌉ ⌊ ⌋
    (0x239B, 0x23AE),  # parts of tall brackets
    (0x23D0, 0x23E1),  # and of wide ones
    (0x25A0, 0x25A1),  # ∎ and □
    (0x27E8, 0x27E9),  # ⟨ ⟩
    (0x27F5, 0x27FC),  # long arrows
    (0x2A7D, 0x2A7E),  # ⩽ ⩾
    (0xE150, 0xE156),  # parts of braces
    (0x1D434, 0x1D467),  # italic letters
    (0x1D538, 0x1D550),  # 𝔼
    (0x1D6E2, 0x1D71B),  # italic Greek
)
# These alphabets go, letters of the ranges above included.
DROPPED = (
    *("bold", "boldItalic", "fraktur", "frakturBold", "monospace", "sansSerif"),
    *("sansSerifBold", "sansSerifItalic", "sansSerifBoldItalic", "texMathit"),
    *("texCalligraphicBold", "texOldstyle", "texOldstyleBold"),
)

# A letter's measures, `97:[.431,.011,.5]`, or its outline, `97:"34 634Q…"`.
_LETTER = re.compile(r'(?<=[{,])(\d+):(?:\[[^][]*\]|"[^"]*")(?:,|(?=\}))')
_TABLE = re.compile(r"(?<=[{,])\d+:function\(.*?(?=[,}]\d+:function\(|$)", re.DOTALL)
_ALPHABET = re.compile(r"T\.(\w+)=void 0")


def _kept(code: int) -> bool:
    """Tell whether a letter stays."""
    return any(first <= code <= last for first, last in KEPT)


def subset(font: str) -> str:
    """Remove the letters that no formula needs from MathJax's script of outlines.

    Args:
        font: `output/svg/fonts/tex.js` of MathJax 3.2.

    Returns:
        The same script with fewer letters.

    Raises:
        ValueError: it is not the script that this was written for.
    """

    def thin(table: re.Match) -> str:
        name = _ALPHABET.search(table[0])
        dropped = name is not None and name[1] in DROPPED
        return _LETTER.sub(
            lambda each: each[0] if _kept(int(each[1])) and not dropped else "",
            table[0],
        )

    smaller = _TABLE.sub(thin, font)
    if not len(font) / 20 < len(smaller) < len(font) / 2:
        raise ValueError(
            "math_glyphs expects the outlines of MathJax 3.2 and would keep "
            f"{len(smaller)} of {len(font)} letters; look at what changed there"
        )
    return smaller
