"""Write the ledger: a row for each labelled equation of the book, with its checks."""

from collections.abc import Iterable, Iterator

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from _ext.ledger.evidence import (
    KINDS,
    REFUSALS,
    Check,
    Equation,
    Page,
    homes,
    pages,
    refused,
)
from _ext.ledger.html_element import HtmlElement, element
from jensengap.check import measured

COLUMNS = ("evidence", "worst", "allowed", "pairs", "checks")
TOTALS = ("evidence", "equations", "checks", "pairs", "worst", "allowed")
SIGNS = {"identity": "=", "bound": "≤", "estimate": "≈", "definition": "≔"}
SIGNS |= dict(zip(REFUSALS, "≠≰≉", strict=True), refused="✗")
NOTHING = "nothing is claimed, nothing to check"

Content = nodes.Node | str


def worst(checks: Iterable[Check]) -> Check:
    """Return the check with the largest error; of bounds, with the least slack.

    Of mistakes it is the one that came closest to passing, with the smallest error.
    """

    def badness(check: Check) -> float:
        error = check.verdict.error
        return -error if check.verdict.kind in ("bound", *REFUSALS) else error

    return max(checks, key=badness)


def alike(checks: Iterable[Check]) -> list[list[Check]]:
    """Group checks of one kind that were held to the same tolerance."""
    groups: dict[tuple[int, float], list[Check]] = {}
    for check in checks:
        key = (KINDS + REFUSALS).index(check.verdict.kind), check.verdict.tolerance
        groups.setdefault(key, []).append(check)
    return [groups[key] for key in sorted(groups)]


def allowed(kind: str, tolerance: float) -> str:
    """Return what an error was held against, such as `≤ 1e−12`."""
    limit = f"{tolerance:g}".replace("-", "−")
    if kind in REFUSALS:
        return f"> {limit}" + " se" * kind.endswith("estimate")
    return {
        "identity": f"≤ {limit}",
        "bound": f"≥ −{limit}" if tolerance else "≥ 0",
        "estimate": f"≤ {limit} se",
    }[kind]


def num_pairs(checks: Iterable[Check]) -> str:
    """Return how many pairs of numbers were compared."""
    return f"{sum(check.verdict.count for check in checks):,}".replace(",", "\u202f")


def reading_order(env: BuildEnvironment, page: str = "") -> Iterator[str]:
    """Yield the pages in the order of the table of contents."""
    page = page or env.config.root_doc
    yield page
    for inner in env.toctree_includes.get(page, []):
        yield from reading_order(env, inner)


def _row(columns: Iterable[str], *contents: Content | list[Content]) -> HtmlElement:
    """Return a row; each cell carries its column's name, which narrow pages show."""
    cells = []
    for name, content in zip(columns, contents, strict=True):
        inside = content if isinstance(content, list) else [content]
        cells.append(element("td", *inside, class_=f"jg-{name}", data_name=name))
    return element("tr", *cells)


def _table(columns: Iterable[str], *bodies: HtmlElement, name: str) -> HtmlElement:
    heads = [element("th", each, scope="col", class_=f"jg-{each}") for each in columns]
    head = element("thead", element("tr", *heads))
    return element("table", head, *bodies, class_=f"jg-ledger {name}")


def _kind(kind: str) -> list[Content]:
    word = "refused" if kind in REFUSALS else kind
    look = "jg-sign jg-refused" if word == "refused" else "jg-sign"
    return [element("span", SIGNS[kind], class_=look, aria_hidden="true"), word]


class Ledger(SphinxDirective):
    """The totals, then a section for each page that has labelled equations."""

    def run(self) -> list[nodes.Node]:
        """Return the whole ledger."""
        here, wanted = self.env.docname, self.config.ledger_page
        if here != wanted:
            raise self.error(f"the ledger stands on {wanted} (ledger_page), not {here}")
        self.env.note_reread()  # whatever changes elsewhere changes it
        found = pages(self.env)
        order = [page for page in reading_order(self.env) if page in found]
        self.home = homes(found)
        self.equations = {e.label: e for page in order for e in found[page].equations}
        sections = [self.section(page, found[page]) for page in order]
        return [*self.totals([found[page] for page in order]), *sections]

    def totals(self, found: list[Page]) -> Iterator[nodes.Node]:
        """Yield a sentence, and a table of what there is of each kind."""
        equations = [equation for page in found for equation in page.equations]
        checks = [
            c for page in found for e in page.equations for c in page.checks_of(e.label)
        ]
        every = [check for page in found for check in page.checks]
        mistakes = [check for check in every if refused(check)]
        again = len(every) - len(mistakes) - len(checks)
        num_definitions = sum(equation.definition for equation in equations)
        sentence = (
            f"Of the book's {len(equations)} labelled equations {num_definitions} are "
            f"definitions and {len(equations) - num_definitions} are claims; "
            f"{len(checks)} checks compared {num_pairs(checks)} pairs of numbers."
        )
        if mistakes or again:
            sentence += (
                f" The appendices check equations {again} times more and refuse "
                f"{len(mistakes)} mistakes; neither counts as evidence."
            )
        yield nodes.paragraph("", sentence)
        rows = [self.total(kind, checks) for kind in KINDS]
        rows.append(_row(TOTALS, _kind("definition"), str(num_definitions), *[""] * 4))
        if mistakes:
            broken = str(len({check.verdict.equation for check in mistakes}))
            counts = broken, str(len(mistakes)), num_pairs(mistakes)
            rows.append(_row(TOTALS, _kind("refused"), *counts, "", ""))
        yield _table(TOTALS, element("tbody", *rows), name="jg-totals")

    def total(self, kind: str, checks: list[Check]) -> HtmlElement:
        """Return a row of the totals; its worst error leads to the check."""
        own = [check for check in checks if check.verdict.kind == kind]
        if not own:
            return _row(TOTALS, _kind(kind), "0", "0", "0", "", "")
        num_equations = str(len({check.verdict.equation for check in own}))
        verdict, anchor = worst(own)
        link = self.to_check(anchor, measured(kind, verdict.error))
        counts = num_equations, str(len(own)), num_pairs(own)
        limit = allowed(kind, verdict.tolerance)
        return _row(TOTALS, _kind(kind), *counts, link, limit)

    def section(self, name: str, page: Page) -> nodes.section:
        """Return the section of one page: its title, its equations, its visits."""
        title = self.env.titles[name].astext()
        link = self.link("std", "doc", f"/{name}", title)
        bodies = [
            self.body(each, page.checks_of(each.label), f"row-{each.label}")
            for each in page.equations
        ] + list(self.visits(name, page))
        table = _table(COLUMNS, *bodies, name="jg-rows")
        ids = [nodes.make_id(f"ledger-{name}")]
        return nodes.section("", nodes.title("", "", link), table, ids=ids)

    def visits(self, name: str, page: Page) -> Iterator[HtmlElement]:
        """Yield rows for the mistakes of a page, and for others' equations on it."""
        groups: dict[str, list[Check]] = {}
        for check in page.checks:
            label = check.verdict.equation
            if label in self.home and (refused(check) or self.home[label] != name):
                groups.setdefault(label, []).append(check)
        for label, checks in groups.items():
            row = f"row-{nodes.make_id(name)}-{label}"
            equation = self.equations[label]._replace(definition=False)
            yield self.body(equation, checks, row)

    def body(self, equation: Equation, checks: list[Check], row: str) -> HtmlElement:
        """Return the rows of one equation: itself, then its evidence."""
        number = self.link("math", "eq", equation.label, "")
        latex = equation.latex
        copy = nodes.math_block(latex, latex, nowrap=False, number=None, label=None)
        claim = element("div", number, copy, class_="jg-claim")
        head = element("th", claim, scope="rowgroup", colspan=str(len(COLUMNS)))
        rows = [self.line(group) for group in alike(checks)]
        if equation.definition:
            kind = element("td", *_kind("definition"), class_="jg-evidence")
            nothing = element("td", NOTHING, colspan="4", class_="jg-nothing")
            rows = [element("tr", kind, nothing)]
        return element("tbody", element("tr", head), *rows, id=row)

    def line(self, checks: list[Check]) -> HtmlElement:
        """Return one line of evidence, from checks that are alike."""
        kind, tolerance = checks[0].verdict.kind, checks[0].verdict.tolerance
        links: list[Content] = []
        for verdict, anchor in checks:
            text = verdict.case or f"check {anchor.rpartition('-')[2]}"
            links += [" · ", self.to_check(anchor, text)]
        error = measured(kind, worst(checks).verdict.error)
        limit = allowed(kind, tolerance)
        return _row(COLUMNS, _kind(kind), error, limit, num_pairs(checks), links[1:])

    def to_check(self, anchor: str, text: str) -> pending_xref:
        """Return a link to the line that shows a verdict."""
        return self.link("std", "ref", anchor, text)

    def link(self, domain: str, kind: str, target: str, text: str) -> pending_xref:
        """Return a link that Sphinx resolves, and numbers, when all has been read."""
        return pending_xref(
            "",
            nodes.inline("", text),
            refdoc=self.env.docname,
            refdomain=domain,
            reftype=kind,
            reftarget=target,
            refexplicit=bool(text),
            refwarn=True,
        )


def read_last(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Move the ledger's page to the end, when all others have been read."""
    names.sort(key=lambda name: name == app.config.ledger_page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, and the two that it is made of."""
    app.setup_extension("_ext.ledger.evidence")
    app.setup_extension("_ext.ledger.html_element")
    app.add_config_value("ledger_page", "appendix/ledger", "env", str)
    app.add_directive("ledger", Ledger)
    app.connect("env-before-read-docs", read_last)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
