"""Index the places where pages link the glossary's terms.

Sphinx itself indexes the glossary alone. Here each term gets, below its own entry, the
titles of the pages that link it; so do its synonyms.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def links(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """Return the terms that each page links, in small letters, and their anchors."""
    if not hasattr(env, "term_links"):
        env.term_links = {}
    return env.term_links


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Put an anchor before the first link to each term on one page."""
    found: dict[str, str] = {}
    for link in list(doctree.findall(addnodes.pending_xref)):
        name = " ".join(link["reftarget"].split()).lower()
        if link["reftype"] != "term" or name in found:
            continue
        found[name] = f"use-of-term-{len(found) + 1}"
        # a node of its own: Sphinx replaces the link, and with it an id
        anchor = nodes.target("", "", ids=[found[name]])
        link.parent.insert(link.parent.index(link), anchor)
    if found:
        links(app.env)[app.env.docname] = found


def glossaries(env: BuildEnvironment) -> list[str]:
    """Return the pages that hold a glossary, known by the mark on its entries."""
    pages = env.domains["index"].entries.items()
    return [page for page, all_ in pages if any(each[3] == "main" for each in all_)]


def synonyms(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return for each term, as it is linked, all terms of the same definition."""
    found = {}
    for page in glossaries(env):
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            terms = [term.astext() for term in item.findall(nodes.term)]
            found |= {term.lower().replace("’", "'"): terms for term in terms}
    return found


def letters(env: BuildEnvironment) -> dict[str, str | None]:
    """Return the letters under which the glossary files its terms, where it names one.

    What a text shows has curly apostrophes; the entries get them here.
    """
    found = {}
    for page in glossaries(env):
        entries = env.domains["index"].entries[page]
        entries[:] = [
            (kind, term.replace("'", "’"), *rest) for kind, term, *rest in entries
        ]
        found |= {term: letter for _, term, _, _, letter in entries}
    return found


def enter(app: Sphinx, env: BuildEnvironment) -> None:
    """Enter the pages below the terms that they link."""
    if not links(env):
        return
    same, letter = synonyms(env), letters(env)
    for page, found in links(env).items():
        title = env.titles[page].astext()
        entries = env.domains["index"].entries.setdefault(page, [])
        for name, anchor in found.items():
            for term in same.get(name, ()):  # Sphinx warns of a term that is missing
                place = f"{term}; {title}", anchor, "", letter.get(term)
                if ("single", *place) not in entries:
                    entries.append(("single", *place))


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Forget a page that is read anew or is gone."""
    links(env).pop(page, None)


def setup(app: Sphinx) -> dict[str, bool | int]:
    """Register the extension."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", collect)
    app.connect("env-updated", enter)
    return {"env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
