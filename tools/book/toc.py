"""Read the pages of the book from its table of contents, in their order."""

from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def _files(entry: dict | list) -> Iterator[str]:
    for part in entry if isinstance(entry, list) else [entry]:
        for key in ("root", "file"):
            if key in part:
                yield part[key]
        for key in ("parts", "chapters", "sections", "entries"):
            yield from _files(part.get(key, []))


def pages(root: Path = ROOT) -> list[str]:
    """Return all pages, as `likelihood/elbo`."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return list(_files(toc))


def chapters(root: Path = ROOT) -> list[str]:
    """Return the numbered chapters only."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [
        page for part in toc["parts"] if part.get("numbered") for page in _files(part)
    ]


def parts(root: Path = ROOT) -> Iterator[tuple[str, bool, list[str]]]:
    """Yield caption, whether its chapters are numbered, and pages of each part.

    What stands before the first caption, the root page included, has none.
    """
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    yield "", False, [toc["root"]]
    for part in toc["parts"]:
        yield part.get("caption", ""), part.get("numbered", False), list(_files(part))


def source(page: str, root: Path = ROOT) -> Path:
    """Return the file that a page is written in."""
    return root / "book" / f"{page}.md"
