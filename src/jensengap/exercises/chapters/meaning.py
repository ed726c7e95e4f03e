"""The exercises of the chapter on what z means."""

from __future__ import annotations

from math import cos, pi, sin

from jensengap.exercises.question import Choice, Mistake, Number


def _turned(u: float, v: float, angle: float) -> tuple[float, float]:
    """Rotate the coordinates; return their variances, which were u and v before."""
    c, s = cos(angle) ** 2, sin(angle) ** 2
    return u * c + v * s, u * s + v * c


def _unsquared(u: float, v: float, angle: float) -> float:
    c, s = abs(cos(angle)), abs(sin(angle))
    return max(u * c + v * s, u * s + v * c)


QUESTIONS = (
    Number(
        label="ex-meaning-score",
        ask=(
            "If always saying the largest class stands at 0 and no error at 1, where "
            "does the second probe stand?"
        ),
        answer=lambda a, m: (a - m) / (1 - m),
        cases=({"a": 0.5, "m": 0.1}, {"a": 0.9, "m": 0.8}, {"a": 0.3, "m": 0.6}),
        mistakes=(
            Mistake(
                lambda a, m: a - m,
                "The zero is right, the one is not: on this scale a probe without "
                "error would stay below it.",
            ),
            Mistake(
                lambda a, m: a / m,
                "A ratio of accuracies puts the majority at one, and a probe without "
                "error at no fixed place.",
            ),
            Mistake(
                lambda a, m: (a - m) / m,
                "The gain was divided by the majority's share; divide it by the "
                "largest gain that there could be.",
            ),
            Mistake(
                lambda a, m: a,
                "That is the accuracy itself: its zero is no right answer at all, and "
                "not the majority's share.",
            ),
        ),
        why=(
            "The scale subtracts the accuracy of always saying the largest class "
            "and divides by what is left up to 1."
        ),
        hints=("How much of what the majority leaves undone does the probe do?",),
        tolerance=0.005,
    ),
    Number(
        label="ex-meaning-rotate",
        ask=(
            "The two coordinates, turned by π/6: how large is the variance of the "
            "classes' means along the best of the new ones?"
        ),
        answer=lambda u, v, angle: max(_turned(u, v, angle)),
        cases=(
            {"u": 0.5, "v": 0.1, "angle": pi / 6},
            {"u": 0.3, "v": 0.9, "angle": 1.0},
            {"u": 1.0, "v": 0.2, "angle": 0.8},
        ),
        mistakes=(
            Mistake(
                lambda u, v, angle: max(u, v),
                "That is the old value. It is still the variance along the old "
                "direction, which is no coordinate any more.",
            ),
            Mistake(
                lambda u, v, angle: u + v,
                "That is the sum over both coordinates: the one that a turn leaves "
                "alone.",
            ),
            Mistake(
                lambda u, v, angle: min(_turned(u, v, angle)),
                "That is the other of the new coordinates.",
            ),
            Mistake(
                _unsquared,
                "Coordinates turn with cosine and sine, their variances with the "
                "squares of these.",
            ),
            Mistake(
                lambda u, v, angle: max(u, v) * max(_turned(1.0, 0.0, angle)),
                "That is the part of one old coordinate; the other adds its own.",
            ),
        ),
        why=(
            "The means are uncorrelated, so along a turned axis their variance is "
            "the average of u and v, weighted by cos² and sin² of the angle."
        ),
        hints=(
            "A new coordinate is cos(α) times the one plus sin(α) times the other; "
            "which variance has such a sum?",
        ),
        tolerance=0.005,
    ),
    Choice(
        label="ex-meaning-invert",
        ask=(
            "Six descents to one digit end at nearly the same error, well above zero. "
            "What follows?"
        ),
        options={
            "the generator cannot make the digit": (
                "A descent tells of the z that it met. Another one, which none of the "
                "six came near, may make the digit."
            ),
            "the digit's density under the generator is low": (
                "The generator's images have no density, and a distance to one of "
                "them is none either."
            ),
            "the least error of any z is at most the best of these": (
                "Each end is the error of some z, a bound from above. That six agree "
                "makes a true gap plausible, and proves none."
            ),
            "the generator has dropped the digit's class": (
                "This is about one image. The generator may make others of its class; "
                "which classes it makes, samples show."
            ),
            "the least error of any z is at least the best of these": (
                "All six may have ended in the same local minimum, or in equally bad "
                "ones: no descent gives a bound from below."
            ),
        },
        right="the least error of any z is at most the best of these",
        hints=(
            "What is an error at the end of a descent: the error of which z? What "
            "does it say of all the others?",
        ),
    ),
)
