"""Tell a measurement that was typed by hand from the parameters of a set-up.

A parameter stands in a formula (``$s=0.8$``) or is counted in plain integers ("784
pixels"). A measurement is computed, asserted and glued. So a text has no decimals, no
number with a unit, and nothing that is about, or give or take, a number; a formula has
nothing of that sort either, and no number that is given to many digits.
"""

import re

MOST_DIGITS = 3  # that a parameter has

_FORMULA = re.compile(r"⟦(.*?)⟧", re.DOTALL)
# Names, of places in a text and of versions, that contain a number.
_NAMES = re.compile(
    r"\b(?i:theorem|proposition|section|chapter|appendix|figure|table|eqs?\.|equation"
    r"|CC BY|Python|PyTorch)\s+\d+(?:\.\d+)*"
)
_UNIT = (
    r"(?:nats?|bits?|dB|%|per\s?cent|se|standard errors?|fold|×(?!\s*\d)"
    r"|[num]?s|(?:milli)?seconds?|minutes?|hours?|[kMG]B"
    r"|times (?:as|the|more|less|fewer|\w+er))(?!\w)"
)
_WITH_UNIT = rf"\b\d[\d,\u2009\u202f]*(?:\.\d+)?[\s\u2009\u202f-]*{_UNIT}"
_IN_TEXT = (
    r"(?<![\w.])(?:\d+\.\d+|\.\d+)(?![\w.]*\.\d)",  # 0.913, .2
    r"\b\d+(?:\.\d+)?[eE][-−+]?\d+\b|\b10[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+",  # 1e6, 10⁶
    r"[≈≃∼~±]\s*[-−+]?\.?\d",  # ≈ 81
)
# A number that is all there is: in 2\sigma, 1/k and 3(x+1) a formula goes on.
_ALONE = (
    r"(?:\d+(?:[.,]\d+)*+|\.\d++)(?!\d|\s*(?:[/a-zA-Z(^_!]"
    r"|\\(?!times|c?dots?\b|ldots|[,;:%]|text|mathrm|pm|q?quad|\w+space)))"
)
_ABOUT = r"(?:\\(?:approx(?:eq)?|simeq|sim|cong|doteq)(?![a-zA-Z])|[≈≃∼])"
_IN_FORMULA = (
    rf"{_ABOUT}(?:\s|\{{|\\[,;:!])*[-−+]?\s*{_ALONE}",  # \approx 14
    rf"[^\s={{(,]\s*(?:\\pm(?![a-zA-Z])|±)\s*{{?\s*{_ALONE}",  # 81 \pm 2
    rf"\d[\\,;:~\s{{]*\\(?:text|mathrm)\{{\s*{_UNIT}",  # 14\,\text{nats}
)


def in_text(text: str) -> list[str]:
    """Return what looks measured in a text whose formulas stand as ``⟦…⟧``."""
    # a number is no parameter because it stands in a formula all by itself: $81$ nats
    bare = _FORMULA.sub(lambda found: found[1] if _lone(found[1]) else "◦", text)
    plain = _NAMES.sub("◦", _FORMULA.sub("◦", text))
    return _found((_WITH_UNIT,), bare) + _found(_IN_TEXT, plain)


def in_formula(formula: str) -> list[str]:
    """Return what looks measured in a formula."""
    decimals = re.findall(r"\d+\.\d+", formula)
    return _found(_IN_FORMULA, formula) + [n for n in decimals if _precise(n)]


def _lone(formula: str) -> bool:
    return bool(re.fullmatch(r"\s*[-−+]?\d[\d.,\\{}]*\s*", formula))


def _precise(number: str) -> bool:
    return len(number.replace(".", "").lstrip("0")) > MOST_DIGITS


def _found(rules: tuple[str, ...], text: str) -> list[str]:
    return [match[0] for rule in rules for match in re.finditer(rule, text)]
