r"""Write formulas as plain LaTeX that every notebook shows: no macro, no class.

`\rec{…}` and its like are known to the site alone. Each is replaced by what it stands
for, and a class that colours a term becomes the colour itself.
"""

import re
from collections.abc import Mapping

from jensengap.markup import svg

# The classes that a formula may carry, and the colour that the light page gives them.
COLOURS = {
    "jg-reconstruction": svg.RECONSTRUCTION,
    "jg-prior": svg.PRIOR,
    "jg-gap": svg.GAP,
}
# What a macro stands for: its text, or its text and how many arguments it takes.
Macros = Mapping[str, str | list]

_CLASS = re.compile(r"\\class\{([\w-]+)\}")
_COMMENT = re.compile(r"(?<!\\)%.*\n?")


def plain(latex: str, macros: Macros) -> str:
    """Write a formula without the book's own macros, on one line.

    Args:
        latex: the formula as it stands in the chapter.
        macros: as MathJax's configuration names them.

    Returns:
        The same formula. A `<` is followed by a space: no reader takes it for a tag.

    Raises:
        ValueError: an argument that is not in braces, or a class without a colour.
    """
    latex = _COMMENT.sub(" ", latex)
    names = re.compile(rf"\\({'|'.join(map(re.escape, macros))})(?![A-Za-z])")
    # again and again: a macro's text may hold another macro
    while macros and (found := names.search(latex)):
        text, rest = _meaning(macros[found[1]], latex[found.end() :], found[0])
        latex = latex[: found.start()] + text + rest
    return " ".join(re.sub(r"<(?=[A-Za-z/!?])", "< ", latex).split())


def display(latex: str, macros: Macros, number: str = "") -> str:
    r"""Write a displayed formula as `plain` does, aligned as the page aligns it.

    Args:
        latex: the formula; what stands between blank lines is a line of its own.
        macros: as for `plain`.
        number: the equation's; it becomes its `\tag`.

    Returns:
        What belongs between two `$$`.
    """
    parts = re.split(r"\n\s*\n", latex.strip())
    text = r" \\ ".join(plain(part, macros) for part in parts)
    if r"\\" in _without_environments(text):
        text = rf"\begin{{aligned}} {text} \end{{aligned}}"
    return rf"{text} \tag{{{number}}}" if number else text


def _without_environments(latex: str) -> str:
    inner = re.compile(r"\\begin\{(\w+\*?)\}(?:(?!\\begin\{).)*?\\end\{\1\}")
    # from the innermost environment outwards
    while (shorter := inner.sub("", latex)) != latex:
        latex = shorter
    return latex


def _meaning(meaning: str | list, rest: str, macro: str) -> tuple[str, str]:
    """Return what a macro stands for, and what follows its arguments."""
    text, count = (meaning, 0) if isinstance(meaning, str) else meaning
    arguments = []
    for _ in range(count):
        argument, rest = _argument(rest, macro)
        arguments.append(argument)
    text = re.sub(r"#([1-9])", r"\0\1", text)  # a colour begins with # as well
    return re.sub("\0(.)", lambda m: arguments[int(m[1]) - 1], _coloured(text)), rest


def _coloured(text: str) -> str:
    """Replace classes by the colours that the light page gives them."""

    def colour(found: re.Match) -> str:
        if found[1] not in COLOURS:
            raise ValueError(
                f"a formula has the class {found[1]}, which has no colour here; wanted "
                f"is one of {', '.join(COLOURS)}"
            )
        return rf"\textcolor{{{COLOURS[found[1]]}}}"

    return _CLASS.sub(colour, text)


def _argument(latex: str, macro: str) -> tuple[str, str]:
    """Split one argument in braces off the front."""
    latex = latex.lstrip()
    if not latex.startswith("{"):
        raise ValueError(
            f"{macro} wants its arguments in braces, got {latex[:20]!r}; write {{…}}"
        )
    depth = 0
    for place, sign in enumerate(latex):
        if sign in "{}" and not latex[:place].endswith("\\"):
            depth += 1 if sign == "{" else -1
        if depth == 0:
            return latex[1:place], latex[place + 1 :]
    raise ValueError(f"a brace of {macro} is not closed in {latex[:40]!r}")
