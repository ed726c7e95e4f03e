"""Markdown for notebooks: what stands in a page is what a notebook shows."""

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from exported import formulas, shown
from myst_parser.docutils_ import Parser

from _ext.notebooks.markdown_inline import Place, code, escaped
from _ext.notebooks.markdown_writer import block, blocks
from _ext.notebooks.plain_latex import display, plain

MACROS = {
    "E": r"\mathbb{E}",
    "given": r"\mid",
    "KL": [r"\mathrm{KL}(#1\,\Vert\,#2)", 2],
    "rec": [r"\class{jg-reconstruction}{#1}", 1],
}
PLACE = Place(lambda to: f"https://example.org/{to}", lambda node: "", MACROS)
EXTENSIONS = ["deflist", "dollarmath", "colon_fence"]


def tree(text):
    """Return the doctree of some MyST."""
    settings = {"myst_enable_extensions": EXTENSIONS, "report_level": 5}
    return publish_doctree(text, parser=Parser(), settings_overrides=settings)


def markdown(text):
    return blocks(tree(text).children, PLACE)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\E_q[x\given z]", r"\mathbb{E}_q[x\mid z]"),
        (r"\KL{q(z)}{p}", r"\mathrm{KL}(q(z)\,\Vert\,p)"),
        (r"\rec{\E[\log p]}", r"\textcolor{#0068a8}{\mathbb{E}[\log p]}"),
        (
            r"\rec{\KL{a}{\rec{b}}}",
            r"\textcolor{#0068a8}{\mathrm{KL}(a\,\Vert\,"
            r"\textcolor{#0068a8}{b})}",
        ),
        (r"\KL{\{a\}}{b}", r"\mathrm{KL}(\{a\}\,\Vert\,b)"),
        (r"\Exp \E", r"\Exp \mathbb{E}"),
        ("a<b % why\n + 50\\%", r"a< b + 50\%"),
    ],
)
def test_macros_are_written_out(latex, expected):
    assert plain(latex, MACROS) == expected


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\KL q p", r"\\KL wants its arguments in braces"),
        (r"\KL{q}{p", "not closed"),
    ],
)
def test_a_macro_without_its_arguments_is_named(latex, message):
    with pytest.raises(ValueError, match=message):
        plain(latex, MACROS)


def test_a_colour_that_is_none_of_the_three_is_named():
    with pytest.raises(ValueError, match="jg-other"):
        plain(r"\odd{x}", {"odd": [r"\class{jg-other}{#1}", 1]})


def test_a_display_is_aligned_as_its_page_aligns_it_and_keeps_its_number():
    assert display("a &= b \\\\\n &= c", {}, "3.2") == (
        r"\begin{aligned} a &= b \\ &= c \end{aligned} \tag{3.2}"
    )
    inner = "x = \\begin{cases} 1 \\\\ 2 \\end{cases}"
    assert display(inner, {}) == inner


TEXTS = [
    "2 * 3 * 4 and a_b_c and `x_1 * y` and \\$5 or \\$6",
    "1\\. is no list, nor \\# a heading, \\> a quotation, \\[this\\](a link)",
    "a \\<b> tag, an \\&amp; and a back\\\\slash ~~stays~~",
    "\\- no list",
    "\\+ none either",
    "``a ` b`` and ```` `` ````",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_shown_to_the_letter(text):
    document = tree(text)
    assert not list(document.findall(nodes.list_item))
    soup = shown(markdown(text))
    assert soup.get_text().strip() == document.astext().strip()
    assert not soup.find(["li", "h1", "blockquote", "a", "b"])


def test_code_outnumbers_the_marks_inside():
    assert code("a`b") == "``a`b``"
    assert code("`") == "`` ` ``"
    assert markdown("~~~\n```\nx\n```\n~~~") == "````\n```\nx\n```\n````"


NESTED = """\
- one
- two

  $$a<b$$

  1. three
  2. four
     - *five* and
       six
"""


def test_nested_lists_stay_nested_and_their_formulas_stay_whole():
    soup = shown(markdown(NESTED))
    inner = soup.select_one("ul > li > ol > li > ul > li")
    assert inner.get_text().strip() == "five and six"
    assert len(soup.select("ul > li > ol > li")) == 2
    assert formulas(markdown(NESTED)) == ["a< b"]


TABLE = r"""
| a | b |
|---|---|
| $|x|$ and $\|y\|$ | `x \| y` |
| $p(x\given z)$ | plain \| bar |
"""


def test_a_table_keeps_its_bars():
    document = tree(TABLE.replace("$|x|$", r"$\vert x\vert$"))
    soup = shown(blocks(document.children, PLACE))
    assert [len(row.find_all(["td", "th"])) for row in soup.find_all("tr")] == [2, 2, 2]
    assert soup.find("code").get_text() == "x | y"
    assert soup.find_all("td")[-1].get_text() == "plain | bar"


def test_a_bar_in_a_formula_of_a_table_does_not_end_the_cell():
    paragraph = nodes.paragraph("", "", nodes.math("", r"|x| + \|y\|"))
    row = nodes.row("", nodes.entry("", paragraph), nodes.entry("", nodes.paragraph()))
    head = nodes.row(
        "", *(nodes.entry("", nodes.paragraph("", name)) for name in ("a", "b"))
    )
    group = nodes.tgroup("", nodes.colspec(), nodes.colspec(), cols=2)
    group += [nodes.thead("", head), nodes.tbody("", row)]
    written = block(nodes.table("", group), PLACE)
    assert "|x" not in written
    assert formulas(written) == [r"\vert x\vert + \Vert y\Vert"]
    assert len(shown(written).select("td")) == 2


def test_a_table_that_markdown_cannot_hold_is_refused():
    document = tree(TABLE)
    next(iter(document.findall(nodes.entry)))["morecols"] = 1
    with pytest.raises(ValueError, match="cannot span"):
        blocks(document.children, PLACE)


def test_boxes_are_quotations_and_folds_stay_folded():
    soup = shown(
        markdown(
            ":::{admonition} Title with $x$\nText\n\n$$\na \\\\\nb\n$$\n"
            ":::\n\n:::{admonition} Folded\n:class: dropdown\n- *in*side\n:::"
        )
    )
    assert soup.select_one("blockquote strong").get_text() == "Title with x"
    assert soup.select_one("details summary").get_text() == "Folded"
    assert soup.select_one("details li em").get_text() == "in"


def test_folds_in_a_fold_are_markdown_too():
    inner = nodes.admonition("", nodes.title("", "inner"), classes=["dropdown"])
    inner += nodes.paragraph("", "", nodes.strong("", "word"), nodes.math("", "z"))
    outer = nodes.admonition("", nodes.title("", "outer"), inner, classes=["dropdown"])
    written = block(outer, PLACE)
    assert shown(written).select_one("details details strong").get_text() == "word"
    assert formulas(written) == ["z"]


def test_definitions_become_a_list():
    soup = shown(markdown("term\n: what it is\n\n  in two parts\n"))
    assert soup.select_one("li strong").get_text() == "term"
    assert len(soup.select("li p")) == 3


def test_a_link_is_completed():
    link = nodes.reference("", "", nodes.emphasis("", "here"), nodes.Text(" it is"))
    link["refuri"] = "page.html#there"
    soup = shown(block(nodes.paragraph("", "", link), PLACE))
    assert soup.a["href"] == "https://example.org/page.html#there"
    assert soup.a.get_text() == "here it is"


def test_what_has_no_markdown_is_an_error_that_names_it():
    with pytest.raises(NotImplementedError, match="field_list"):
        block(nodes.field_list(), PLACE)
    with pytest.raises(NotImplementedError, match="problematic"):
        block(nodes.paragraph("", "", nodes.problematic("", "x")), PLACE)


def test_a_no_break_space_is_kept():
    assert escaped("a\u202fb\n c") == "a\u202fb c"
