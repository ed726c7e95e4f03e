"""Print to any terminal: what it has no sign for is written in ASCII."""

from __future__ import annotations

import sys
from typing import Any

# Signs that the package prints, and what can be read in their place.
STAND_INS = {
    "✓": "ok", "✗": "x", "○": "o", "−": "-", "–": "-", "—": "-", "±": "+/-", "×": "x",
    "·": "-", "≈": "~", "≉": "!~", "≠": "!=", "≤": "<=", "≥": ">=", "≰": "!<=",
    "→": "->", "…": "...", "√": "sqrt", "∞": "inf", "½": "1/2", "²": "^2", "³": "^3",
    "Δ": "delta", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta",
    "ε": "epsilon", "θ": "theta", "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho",
    "σ": "sigma", "Σ": "sum", "τ": "tau", "φ": "phi", "ψ": "psi", "ω": "omega",
    "‖": "||", "∇": "grad ", "∫": "integral ", "‘": "'", "’": "'", "“": '"', "”": '"',
    "₀": "_0", "₁": "_1", "₂": "_2", "\u202f": " ", "\u2009": " ", "\xa0": " ",
}  # fmt: skip


def say(*words: Any, file: Any = None, end: str = "\n") -> None:
    """Print, and raise no error where the terminal knows only few signs.

    Args:
        *words: what to print, with a space between them.
        file: where to; standard output if None.
        end: what stands behind the last.
    """
    file = sys.stdout if file is None else file
    text = " ".join(str(word) for word in words) + end
    # flushed: what is said of a long run is wanted while it runs
    print(plain(text, getattr(file, "encoding", None)), file=file, end="", flush=True)


def plain(text: str, encoding: str | None) -> str:
    """Replace the signs that an encoding lacks.

    Args:
        text: any.
        encoding: of the terminal, such as ``cp1252``; None knows all signs.

    Returns:
        A text that can be written in that encoding: a sign without a stand-in is
        written by its number.
    """
    encoding = encoding or "utf-8"
    return "".join(_sign(sign, encoding) for sign in text)


def _sign(sign: str, encoding: str) -> str:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        stand_in = STAND_INS.get(sign, sign)
        return stand_in.encode("ascii", "backslashreplace").decode()
    return sign
