"""The glossary's terms, and where the pages use and link them.

A term is linked by ``{term}`word``` or ``{term}`words <term>```. Headings, formulas,
code and captions are left out: they cannot hold such a link.
"""

import re
from functools import cache
from typing import NamedTuple

from markdown_it.token import Token
from reading import prose
from spoken import CODE, NO_TITLE, OPTIONS, parser

GLOSSARY = "appendix/glossary"
_LINK = re.compile(r"(?s)(.*?)\s*<([^<>]*)>\s*")


class Paragraph(NamedTuple):
    """A paragraph's words, and the terms that it links, in lower case."""

    words: str
    linked: frozenset[str]


def entries(source: str) -> list[tuple[str, ...]]:
    """Return the terms of a glossary, those of one definition together."""
    body = re.search(r"(?ms)^```\{glossary\}\n(.*?)^```", source)[1]
    blocks = re.split(r"\n\s*\n", body.strip("\n"))
    return [tuple(_names(block)) for block in blocks]


def definitions(source: str) -> dict[str, str]:
    """Return the definitions of a glossary, by their first term."""
    body = re.search(r"(?ms)^```\{glossary\}\n(.*?)^```", source)[1]
    found = {}
    for block in re.split(r"\n\s*\n", body.strip("\n")):
        indented = re.findall(r"(?m)^ +(.*)$", block)
        found[_names(block)[0]] = " ".join(indented)
    return found


def _names(block: str) -> list[str]:
    """Return an entry's terms, without the letter under which the index files them."""
    return re.findall(r"(?m)^(\S.*?)(?: : \S+)?$", block)


@cache
def paragraphs(page: str) -> list[Paragraph]:
    """Return a page's paragraphs in order; a cell of a table counts as one."""
    return list(_paragraphs(prose(page)))


def in_markdown(source: str) -> list[Paragraph]:
    """Return the paragraphs of a piece of MyST."""
    return list(_paragraphs(source))


def _paragraphs(source: str):
    heading = False
    for token in parser().parse(source):
        if token.type == "inline" and not heading and not _is_title(token):
            parts = [_read(part) for part in token.children]
            words = "".join(word for word, _ in parts)
            yield Paragraph(words, frozenset(term for _, term in parts if term))
        elif token.type in {"fence", "colon_fence"}:
            yield from _in_directive(token)
        heading = token.type == "heading_open"


def _is_title(token: Token) -> bool:
    """Say whether all of it is bold or slanted, as a subtitle is."""
    inside = [part for part in token.children if part.type != "text" or part.content]
    return (
        bool(inside)
        and inside[0].type in {"strong_open", "em_open"}
        and (
            inside[-1].type == inside[0].type.replace("open", "close")
            and sum(part.type == inside[0].type for part in inside) == 1
        )
    )


def _read(part: Token) -> tuple[str, str]:
    """Return the words of a piece of a paragraph, and the term that it links."""
    if part.type == "myst_role" and part.meta["name"] == "term":
        pair = _LINK.fullmatch(part.content)
        words, term = pair.groups() if pair else (part.content, part.content)
        return words, " ".join(term.split()).lower()
    if part.type == "text":
        return part.content, ""
    if part.type in {"softbreak", "hardbreak"}:
        return " ", ""
    return ("" if part.nesting else "◦", "")  # what is bold is read, a formula is not


def _in_directive(token: Token):
    name = re.match(r"\{?([\w:-]*)\}?", token.info)[1]
    if name in CODE | {"math", "glossary"} or not token.info.startswith("{"):
        return
    if name in NO_TITLE - {"div"}:
        return
    yield from _paragraphs(OPTIONS.sub("", token.content))


def users(terms: list[tuple[str, ...]], words: str) -> set[int]:
    """Return which entries of a glossary a text uses, by their place.

    A longer term hides a shorter one inside it: "posterior collapse" is no use of
    "posterior". A term in small letters may begin with a capital or be a plural; an
    abbreviation must stand as it is.
    """
    place = {term: number for number, entry in enumerate(terms) for term in entry}
    longest = sorted(place, key=len, reverse=True)
    pattern = "|".join(
        f"(?P<t{place_in}>{_form(t)})" for place_in, t in enumerate(longest)
    )
    used = re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", words)
    return {place[longest[int(match.lastgroup[1:])]] for match in used}


def _form(term: str) -> str:
    """Return a pattern for the forms in which a text may use a term."""
    pieces = [re.escape(piece) for piece in term.split()]
    if term[0].islower():
        first = term[0]
        pieces[0] = f"[{first}{first.upper()}]" + pieces[0][1:]
    whole = r"\s+".join(pieces)
    return whole + r"(?:s|es)?"
