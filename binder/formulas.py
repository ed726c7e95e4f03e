"""Tell the chapters' formulas their macros, which the site has from _config.yml.

In JupyterLab a notebook's formulas know what stands at the top of its first cell. This
writes it there, into the chapters themselves: for Binder's copy of the book, not yours.
"""

import re
from pathlib import Path

import yaml

from jensengap.markup import svg

ROOT = Path(__file__).resolve().parent.parent
COLOURS = {
    "jg-reconstruction": svg.RECONSTRUCTION,
    "jg-prior": svg.PRIOR,
    "jg-gap": svg.GAP,
}
_END = "\n---\n"


def macros(root: Path) -> dict[str, str]:
    r"""Return the book's macros as KaTeX reads them: colours in place of classes."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    found = config["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
    # MathJax has [body, number of arguments], KaTeX counts them itself.
    bodies = {k: v if isinstance(v, str) else v[0] for k, v in found.items()}
    return {f"\\{name}": _coloured(body) for name, body in bodies.items()}


def _coloured(body: str) -> str:
    # Without their hash, which would be an argument's.
    colours = {name: colour.removeprefix("#") for name, colour in COLOURS.items()}
    return re.sub(
        r"\\class\{([^}]*)\}", lambda name: rf"\textcolor{{{colours[name[1]]}}}", body
    )


def told(text: str, known: dict[str, str]) -> str:
    """Return a chapter's text with the macros after its front matter."""
    front, rest = text.split(_END, 1)
    header = yaml.safe_dump({"math": known}, allow_unicode=True)
    return f"{front}{_END}\n---\n{header}---\n{rest}"


if __name__ == "__main__":
    known = macros(ROOT)
    for path in (ROOT / "book").rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        # Pages without front matter have no cells, and are no notebooks.
        if text.startswith("---\n"):
            path.write_text(told(text, known), encoding="utf-8")
