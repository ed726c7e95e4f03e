"""The exercises of the chapter @TITLE@."""

from __future__ import annotations

from math import cosh, log, sqrt

from jensengap.exercises.question import Choice, Mistake, Number


def _gap(a: float, b: float) -> float:
    return log((a + b) / 2) - (log(a) + log(b)) / 2


def _of_the_sum(a: float, b: float) -> float:
    return log(a + b) - (log(a) + log(b)) / 2


def _whole_distance(a: float, b: float) -> float:
    return log(cosh(log(a / b)))


def _no_logarithm(a: float, b: float) -> float:
    return cosh(log(a / b) / 2)


def _of_the_means(a: float, b: float) -> float:
    return (a + b) / 2 - sqrt(a * b)


def _weight(a: float, b: float) -> float:
    return (b - (b - a) / log(b / a)) / (b - a)


def _of_the_other(a: float, b: float) -> float:
    return 1 - _weight(a, b)


def _equal(a: float, b: float) -> float:
    return 0.5


def _at_the_geometric_mean(a: float, b: float) -> float:
    return (b - sqrt(a * b)) / (b - a)


_CASES = ({"a": 1.0, "b": 4.0}, {"a": 0.2, "b": 0.3}, {"a": 6.0, "b": 0.5})

QUESTIONS = (
    Number(
        label="ex-@NAME@-by-hand",
        ask="How large is the gap of a = 1 and b = 4?",
        answer=_gap,
        cases=_CASES,
        mistakes=(
            Mistake(_of_the_sum, "The sum stands where the mean belongs: halve it."),
            Mistake(
                _whole_distance,
                "That is the hyperbolic cosine of d; half of d belongs into it.",
            ),
            Mistake(
                _no_logarithm,
                "That is the ratio of the two means; its logarithm is wanted.",
            ),
            Mistake(
                _of_the_means,
                "That is the difference of the two means; subtract their logarithms.",
            ),
        ),
        why=(
            "The gap is the logarithm of a ratio, the arithmetic mean over the "
            "geometric one."
        ),
        hints=("The mean of the two logarithms is the logarithm of √(ab).",),
        unit="nats",
    ),
    Number(
        label="ex-@NAME@-weight",
        ask="a = 1 and b = 4: which weight w of a makes the gap largest?",
        answer=_weight,
        cases=_CASES,
        mistakes=(
            Mistake(
                _of_the_other, "That is the weight of b; the weight of a is asked."
            ),
            Mistake(
                _equal,
                "The logarithm bends most at the small number, so the two are not "
                "treated alike.",
            ),
            Mistake(
                _at_the_geometric_mean,
                "There the mean is √(ab). Set the slope of the gap in w to zero "
                "instead.",
            ),
        ),
        why=(
            "Where the gap is largest, the logarithm is as steep at the mean as its "
            "chord."
        ),
        hints=(
            "The gap is the height of the curve above its chord. Where is it largest, "
            "if the two have different slopes?",
            "The mean there is (b − a)/(log b − log a); which w gives that mean?",
        ),
    ),
    Choice(
        label="ex-@NAME@-scale",
        ask="All numbers become ten times as large: what becomes of the gap?",
        options={
            "it becomes ten times as large": (
                "The gap is a difference of logarithms; a factor is added to both."
            ),
            "it grows by log 10": (
                "Each of the two terms does, and the gap is their difference."
            ),
            "it stays": "Only the ratio of the two numbers counts.",
            "it shrinks": (
                "The curve is flatter there, and the chord is longer; work out both "
                "terms."
            ),
        },
        right="it stays",
        hints=("What does the factor ten do to each term of the definition?",),
    ),
)
