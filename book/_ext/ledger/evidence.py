"""Collect the checks of each labelled equation; warn where there is none."""

import html
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from jensengap.check import REFUSED, Verdict

KINDS = ("identity", "bound", "estimate")
REFUSALS = tuple(REFUSED + kind for kind in KINDS)
# The line that shows a verdict; jensengap.check writes it.
_LINE = re.compile(r'<div class="jg-verdict"(?=[^>]* data-verdict="([^">]*)")')
_LOG = logging.getLogger(__name__)


class Equation(NamedTuple):
    """A labelled equation, and whether it carries the mark of a definition."""

    label: str
    latex: str
    line: int | None
    definition: bool


class Check(NamedTuple):
    """A verdict, and the id of the line that shows it."""

    verdict: Verdict
    anchor: str


class Page(NamedTuple):
    """What one page holds, in reading order; a check may be that of a mistake."""

    equations: list[Equation]
    checks: list[Check]

    def checks_of(self, label: str) -> list[Check]:
        """Return the checks of one equation; that a mistake fails is none."""
        return [
            check
            for check in self.checks
            if check.verdict.equation == label and not refused(check)
        ]


def refused(check: Check) -> bool:
    """Tell whether the verdict is about a mistake."""
    return check.verdict.kind.startswith(REFUSED)


def homes(found: dict[str, Page]) -> dict[str, str]:
    """Return the page that each labelled equation stands on."""
    return {each.label: name for name, page in found.items() for each in page.equations}


def pages(env: BuildEnvironment) -> dict[str, Page]:
    """Return what the pages hold, by page; those with nothing are not in it."""
    if not hasattr(env, "evidence"):
        env.evidence = {}
    return env.evidence


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Collect the checks of one page; give an id to each line that shows a verdict."""
    equations = list(_equations(doctree))
    own = {equation.label for equation in equations}
    page = Page(equations, list(_checks(app.env, doctree, own)))
    if page.equations or page.checks:
        pages(app.env)[app.env.docname] = page


def _equations(doctree: nodes.document) -> Iterator[Equation]:
    for node in doctree.findall(nodes.math_block):
        if node.get("label"):
            yield Equation(node["label"], node.astext(), node.line, _marked(node))


def _marked(node: nodes.math_block) -> bool:
    """Tell whether the comment `% definition` stands right above."""
    before = node.parent[: node.parent.index(node)]
    while before and isinstance(before[-1], nodes.target):
        before.pop()
    if not before or not isinstance(before[-1], nodes.comment):
        return False
    return before[-1].astext().splitlines()[-1:] == ["definition"]


def lines(doctree: nodes.document) -> Iterator[tuple[nodes.raw, Verdict]]:
    """Yield the lines that show a verdict, and what they say."""
    for raw in doctree.findall(nodes.raw):
        found = _LINE.search(raw.astext())
        if found is not None:
            yield raw, Verdict(**json.loads(html.unescape(found[1])))


def _checks(
    env: BuildEnvironment, doctree: nodes.document, own: set[str]
) -> Iterator[Check]:
    counts: dict[str, int] = {}
    for raw, verdict in lines(doctree):
        number = counts[verdict.equation] = counts.get(verdict.equation, 0) + 1
        anchor = f"check-{verdict.equation}-{number}"
        if verdict.equation not in own:  # its own page has such an anchor already
            anchor = f"{nodes.make_id(env.docname)}-{anchor}"
        # the id is written into the markup: a raw node has no attributes in HTML
        raw[0] = nodes.Text(_LINE.sub(rf'\g<0> id="{anchor}"', raw.astext()))
        env.domains["std"].note_hyperlink_target(anchor, env.docname, anchor)
        yield Check(verdict, anchor)


def problems(found: dict[str, Page]) -> Iterator[tuple[str, int | None, str]]:
    """Find equations that are not checked, and verdicts that name none.

    Args:
        found: what the pages hold, by page.

    Yields:
        The page, the line where it is known, and a sentence.
    """
    home = homes(found)
    for name, page in found.items():
        for equation in page.equations:
            fault = _fault_of_equation(equation, len(page.checks_of(equation.label)))
            if fault:
                yield name, equation.line, f"{equation.label} {fault}"
        for check in page.checks:
            verdict = check.verdict
            at = home.get(verdict.equation)
            # a mistake may be refused anywhere, and a page without equations of its
            # own is about those of others
            here = name if page.equations and not refused(check) else at
            fault = _fault_of_verdict(verdict, here, at)
            if fault:
                yield name, None, f"a verdict names {verdict.equation}, {fault}"


def _fault_of_equation(equation: Equation, num_checks: int) -> str:
    if equation.definition and num_checks:
        return (
            f"is marked as a definition and has {num_checks} verdict(s); take the mark "
            "away if it claims something, the verdicts if it does not"
        )
    if not equation.definition and not num_checks:
        return (
            "has no verdict on the page and is not marked as a definition; evaluate "
            "both sides with check.identity, check.bound or check.estimate in a cell "
            "whose output is shown, or put the line '% definition' directly above it"
        )
    return ""


def _fault_of_verdict(verdict: Verdict, page: str | None, home: str | None) -> str:
    if home is None:
        return "which labels no equation of the book; correct the name in the cell"
    if home != page:
        return f"which stands on the page {home}; check an equation where it stands"
    if verdict.kind not in KINDS + REFUSALS:
        return f"and is of the kind {verdict.kind!r}; wanted is one of {KINDS}"
    if not verdict.ok:
        return "and says that it does not hold; correct the equation or the cell"
    return ""


def warn(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each problem; the book is built with warnings as errors."""
    for page, line, sentence in problems(pages(env)):
        _LOG.warning(sentence, location=(page, line), type="evidence")


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Forget a page that is read anew or is gone."""
    pages(env).pop(page, None)


def setup(app: Sphinx) -> dict[str, bool | int]:
    """Register the extension."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", collect)
    app.connect("env-check-consistency", warn)
    return {"env_version": 2, "parallel_read_safe": False, "parallel_write_safe": True}
