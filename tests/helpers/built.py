"""Read the built site, and the verdicts that the build recorded."""

import json
import re
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from recorded import executed

from tools import make

SITE = make.SITE_FOLDER
VERDICT = "application/vnd.jensengap.verdict+json"


@cache
def html(path: Path) -> BeautifulSoup:
    """Return an HTML file, parsed."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def of(page: str) -> BeautifulSoup:
    """Return a page of the site."""
    return html(SITE / f"{page}.html")


def holds(page: str, name: str) -> bool:
    """Return whether an element of a page has a class; needs no parsed page."""
    text = (SITE / f"{page}.html").read_text(encoding="utf-8")
    return bool(re.search(rf'class="(?:[^"]* )?{name}[ "]', text))


def article(page: str) -> Tag:
    """Return a page's text, without what stands around it."""
    return of(page).find("article")


def verdicts(page: str) -> list[dict]:
    """Return the verdicts of a page as its executed notebook keeps them, in order."""
    outputs = [out for cell in executed(page).cells for out in cell.get("outputs", [])]
    found = [out.data[VERDICT] for out in outputs if VERDICT in out.get("data", {})]
    return [json.loads(v) if isinstance(v, str) else v for v in found]
