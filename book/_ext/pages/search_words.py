"""Find words without their accents: "Scholkopf" and "Schölkopf" are one.

The index and what is typed are folded alike, by the same rules: here, and in
search_words.js for the page. A name that comes out of TeX is put together first, since
Sphinx looks for words in each piece of a text by itself.
"""

import json
import unicodedata
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

_SCRIPT = Path(__file__).with_suffix(".js")
# Letters that are no other letter with a mark on it.
LETTERS = {
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th",
    "Þ": "TH", "ı": "i", "ħ": "h", "Ħ": "H",
}  # fmt: skip


def fold(text: str) -> str:
    """Return a text without accents, soft hyphens and other ways to write a letter.

    Args:
        text: composed or decomposed.

    Returns:
        Its letters and digits as on a plain keyboard, where that has them: a small
        ² becomes a 2.
    """
    apart = unicodedata.normalize("NFKD", text)
    # Mn: marks on letters; Cf: soft hyphens and other signs without a width
    kept = (sign for sign in apart if unicodedata.category(sign) not in ("Mn", "Cf"))
    return "".join(LETTERS.get(sign, sign) for sign in kept)


class SearchFolded(SearchEnglish):
    """English search that knows no accents."""

    @property
    def js_splitter_code(self) -> str:
        """Return the script that folds and splits what is typed."""
        letters = json.dumps(LETTERS, ensure_ascii=False)
        return _SCRIPT.read_text(encoding="utf-8").replace('"LETTERS"', letters)

    def split(self, input: str) -> list[str]:
        """Split a text into folded words."""
        return super().split(fold(input))

    def stem(self, word: str) -> str:
        """Return a word's stem; the word, where the stem is one that is left out."""
        stem = super().stem(word)
        return word.lower() if stem in self.stopwords else stem


def join(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Join texts that stand side by side, such as ``Sch``, ``ö`` and ``lkopf``."""
    parents = {id(text.parent): text.parent for text in doctree.findall(nodes.Text)}
    for parent in parents.values():
        pieces = groupby(parent.children, lambda node: isinstance(node, nodes.Text))
        whole: list[nodes.Node] = []
        for are_texts, found in pieces:
            each = list(found)
            alone = not are_texts or len(each) == 1
            whole += each if alone else [nodes.Text("".join(each))]
        if len(whole) < len(parent.children):
            parent.children = []
            parent.extend(whole)


def setup(app: Sphinx) -> dict[str, bool | int]:
    """Register the extension, to act when references have become text."""
    app.add_search_language(SearchFolded)
    app.connect("doctree-resolved", join, priority=950)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
