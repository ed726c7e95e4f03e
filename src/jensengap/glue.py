"""A measured number for the prose: published by a cell, inserted by the page."""

from __future__ import annotations

import json
import math
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from jensengap.divergences import Estimate

VALUE = "application/vnd.jensengap.value"


def glue(name: str, value: Any, spec: str = ".3f") -> None:
    """Publish a measured number for the prose, as ``{glue:text}`` finds it.

    The output keeps the number in full beside its text (MIME type ``VALUE``, as JSON),
    so that two runs can be compared to the last bit.

    Args:
        name: what the prose calls it.
        value: a number, an :class:`Estimate` (printed with its ±), or a string.
        spec: format of the number.

    Raises:
        ValueError: a number that is not finite has no place in a sentence.
    """
    bundle = {}
    if isinstance(value, str):
        text = value
    else:
        parts = value if isinstance(value, Estimate) else (value,)
        values = [float(part) for part in parts]
        if not all(math.isfinite(v) for v in values):
            raise ValueError(f"{name} must be finite to be printed, got {value}")
        text = " ± ".join(_printed(v, spec) for v in values)
        bundle[VALUE] = json.dumps(values)
    if get_ipython() is not None:
        # a repr, because the page evaluates what it finds: 0.280 would turn into 0.28
        bundle["text/plain"] = repr(text)
        # the prefix hides the output from the page; only the prose shows it
        prefix = "application/papermill.record/"
        display(
            {prefix + kind: data for kind, data in bundle.items()},
            raw=True,
            metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
        )


def _printed(value: float, spec: str) -> str:
    text = format(value, spec)
    if not text.strip("-0."):  # rounded to zero, which has no sign
        text = text.lstrip("-")
    return text.replace("-", "−")
