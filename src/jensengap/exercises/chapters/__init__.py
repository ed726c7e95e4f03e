"""Find the book's exercises by their labels; each chapter's are a module."""

from __future__ import annotations

import difflib
import importlib
from functools import cache

from jensengap.exercises.question import Question

CHAPTERS = (
    "latent_variables",
    "decomposition",
    "elbo",
    "posterior_kl",
    "likelihoods",
    "reparameterization",
    "linear_vae",
    "training",
    "rate_distortion",
    "measuring_likelihood",
    "minimax",
    "dynamics",
    "meaning",
    "bridges",
)


@cache
def every() -> dict[str, Question]:
    """Collect the questions of all chapters.

    Returns:
        For each label its question, in the order of the chapters.
    """
    found = {}
    for chapter in CHAPTERS:
        module = importlib.import_module(f"jensengap.exercises.chapters.{chapter}")
        found |= {question.label: question for question in module.QUESTIONS}
    return found


def find(label: str) -> Question:
    """Find a question by the label of its exercise.

    Args:
        label: such as ``ex-elbo-tight``; ``elbo-tight`` will do.

    Returns:
        The question.

    Raises:
        ValueError: there is none; names those that look alike.
    """
    known = every()
    label = str(label).strip().lower()
    for name in (label, f"ex-{label}"):
        if name in known:
            return known[name]
    # cut: a label as long as a book would be compared for minutes
    alike = difflib.get_close_matches(label[:80], known, n=3, cutoff=0.5)
    like = f"; similar are {', '.join(alike)}" if alike else ""
    raise ValueError(
        f"there is no exercise {label[:80]!r}{like}; a label stands in the cell "
        "below each exercise"
    )
