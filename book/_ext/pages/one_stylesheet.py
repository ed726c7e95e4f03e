"""Join the site's stylesheets: a page waits for one short file instead of a dozen.

The themes bring styles for whatever a site may hold. A rule goes where it speaks of a
class that no page has and no script of the site knows the name of.
"""

import hashlib
import os
import re
from pathlib import Path

from sphinx.application import Sphinx

from _ext.pages.page_markup import finished_pages

JOINED = Path("_static", "css", "book.css")
_LINK = re.compile(
    r'\s*<link (?=[^>]*rel="stylesheet")[^>]*?href="([^"?]+)[^"]*"[^>]*>'
)
_IMPORT = re.compile(r"@import \"([^\"]+)\";")
_ADDRESS = re.compile(r"url\([\"']?(?!data:|#)([^\"')]+)[\"']?\)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}@;]+)(\{[^{}]*\})")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_WORD = re.compile(r"[\w-]+")
_OPTIONS = re.compile(r'<script src="[^"]*/documentation_options\.js[^"]*"></script>')


def in_order(lists: list[list[Path]]) -> list[Path]:
    """Merge the pages' lists, so that each keeps its own order.

    Args:
        lists: for each page the stylesheets that it names.

    Returns:
        Each stylesheet once.
    """
    merged: list[Path] = []
    # the longest list first: it fixes most of the order
    for names in sorted(lists, key=len, reverse=True):
        place = 0
        for name in names:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return merged


def without_unused(css: str, words: set[str]) -> str:
    """Drop selectors whose class is none of the words, and rules left with none.

    Args:
        css: styles, without comments.
        words: what occurs in the site's pages and scripts.

    Returns:
        What is left; what is not understood at once, a list in brackets say, stays.
    """

    def wanted(selector: str) -> bool:
        return words.issuperset(_CLASS.findall(selector))

    def shorter(rule: re.Match) -> str:
        # :not() and its like may want the class to be absent
        if "(" in rule[1]:
            return rule[0]
        kept = [each for each in rule[1].split(",") if wanted(each)]
        return ",".join(kept) + rule[2] if kept else ""

    return _RULE.sub(shorter, css)


def _words(root: Path) -> set[str]:
    files = [*root.rglob("*.html"), *root.rglob("*.js")]
    return {word for f in files for word in _WORD.findall(f.read_text("utf-8"))}


def join(app: Sphinx, error: Exception | None) -> None:
    """Write the one stylesheet, and name it in all pages instead of the others.

    Raises:
        ValueError: a page names no stylesheet.
    """
    if error is not None or app.builder.format != "html":
        return
    root = Path(app.outdir)
    named = {
        path: [(path.parent / name).resolve() for name in _LINK.findall(text)]
        for path in finished_pages(app)
        for text in [path.read_text(encoding="utf-8")]
    }
    sheets = in_order(list(named.values()))
    css = "\n".join(_relocated(sheet, (root / JOINED).parent) for sheet in sheets)
    css = without_unused(_COMMENT.sub("", css), _words(root))
    (root / JOINED).write_text(css, encoding="utf-8")
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    options = (root / "_static" / "documentation_options.js").read_text("utf-8")
    for path, names in named.items():
        if not names:
            raise ValueError(f"{path} names no stylesheet; look at one_stylesheet.py")
        text = path.read_text(encoding="utf-8")
        address = Path(os.path.relpath(root / JOINED, path.parent)).as_posix()
        one = f'\n  <link rel="stylesheet" href="{address}?v={version}">'
        # the first link marks the place, all others go
        text = _LINK.sub("", _LINK.sub("\0", text, count=1)).replace("\0", one)
        # ten lines that others ask for at once: sooner written than fetched
        text = _OPTIONS.sub(lambda _: f"<script>{options}</script>", text)
        path.write_text(text, encoding="utf-8")


def _relocated(sheet: Path, home: Path) -> str:
    """Return a stylesheet with those that it imports, addresses seen from `home`."""
    text = sheet.read_text(encoding="utf-8").replace('@charset "UTF-8";', "")
    here = sheet.parent

    def imported(found: re.Match) -> str:
        return _relocated(here / found[1], home)

    def moved(found: re.Match) -> str:
        return f"url({Path(os.path.relpath(here / found[1], home)).as_posix()})"

    # addresses first: what is imported has its own moved already
    return _IMPORT.sub(imported, _ADDRESS.sub(moved, text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: it works on pages that all others have finished."""
    app.connect("build-finished", join, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
