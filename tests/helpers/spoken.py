"""What a page says: the text and the formulas that its author typed.

Code, labels, options, citations and whatever a role inserts are left out; a role stands
as ``◦``, a formula as ``⟦formula⟧``, so that a number and its unit stay neighbours.
Captions and alt texts in cells are read as well; there a number behind a sign of
equality counts as a formula, for they have no other.
"""

import ast
import re
from functools import cache

import yaml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from reading import text, trees

from tools.book.toc import ROOT

CODE = {"code-cell", "code", "code-block", "literalinclude", "raw"}
# What stands behind these names is a label, a class or a path, and nothing to read.
NO_TITLE = {"div", "figure", "image", "bibliography", "solution-start", "solution-end"}
WORDS = {"caption", "alt"}
_EQUALS = re.compile(r"([=<>≤≥]\s*[-−+]?\d[\d.,]*\d|[=<>≤≥]\s*[-−+]?\d)")
OPTIONS = re.compile(r"\A(?:---\n(?s:.*?)\n---\n|(?:[ \t]*:[\w-]+:.*(?:\n|\Z))+)")


@cache
def parser():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    extensions = set(settings["parse"]["myst_enable_extensions"])
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


def said(page: str) -> tuple[list[str], list[str]]:
    """Return a page's texts, a paragraph or a title each, and its formulas."""
    texts, formulas = in_markdown(text(page))
    for caption in captions(page):
        formulas += _EQUALS.findall(caption)
        texts.append(_EQUALS.sub(r"⟦\1⟧", caption))
    return texts, formulas


def in_markdown(source: str) -> tuple[list[str], list[str]]:
    """Return the texts and the formulas of a piece of MyST."""
    texts, formulas = [], []
    for token in parser().parse(source):
        if token.type == "inline":
            texts.append("".join(_piece(part) for part in token.children))
            formulas += [p.content for p in token.children if _is_formula(p)]
        elif token.type in {"math_block", "math_block_label", "amsmath"}:
            formulas.append(token.content)
        elif token.type == "html_block":
            texts.append(re.sub(r"<[^>]*>", " ", token.content))
        elif token.type in {"fence", "colon_fence"}:
            for pile, more in zip((texts, formulas), _in_directive(token), strict=True):
                pile += more
    return texts, formulas


def captions(page: str) -> list[str]:
    """Return what the page's cells write below and behind their figures."""
    calls = (n for t in trees(page) for n in ast.walk(t) if isinstance(n, ast.Call))
    words = (word for call in calls for word in call.keywords if word.arg in WORDS)
    parts = (part for word in words for part in ast.walk(word.value))
    return [
        part.value
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def _is_formula(part: Token) -> bool:
    role = part.type == "myst_role" and part.meta["name"] == "math"
    return role or part.type in {"math_inline", "math_inline_double"}


def _piece(part: Token) -> str:
    if _is_formula(part):
        return f"⟦{part.content}⟧"
    if part.type == "text":
        return part.content
    if part.type in {"softbreak", "hardbreak"}:
        return " "
    return "◦" if part.type in {"myst_role", "code_inline"} else ""


def _in_directive(token: Token) -> tuple[list[str], list[str]]:
    name, title = re.match(r"\{?([\w:-]*)\}?\s*(.*)", token.info).groups()
    if name in CODE or not token.info.startswith("{"):
        return [], []
    body = OPTIONS.sub("", token.content)
    if name == "math":
        return [], [body]
    texts, formulas = in_markdown(body)
    if name not in NO_TITLE:
        above = in_markdown(title)
        texts, formulas = above[0] + texts, above[1] + formulas
    return texts, formulas
