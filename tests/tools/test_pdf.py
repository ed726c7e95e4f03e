"""The book on paper: whole, numbered as the site is, and led through by its links."""

import re
import shutil
import unicodedata
from typing import NamedTuple

import browser
import pytest
from built import article, holds, of
from pypdf import PdfReader
from pypdf.generic import DecodedStreamObject, NameObject

from tools import make
from tools.book.toc import chapters, pages, parts
from tools.pdf import bound, one_page, pdf

CONTROLS = {"Play", "Pause", "Reset", "Step", "Start", "Check", "Copy", "Mark as read"}
OUTLINES = re.compile(rb"^[-\d. ]+ [clmvy]\n|^(?:h|f\*?)\n", re.MULTILINE)
# Minutes go by until the book is printed; the rest of this file is quick.
printed = pytest.mark.nightly
FRAME = "One frame of a figure that moves in the site:"


class Book(NamedTuple):
    """The printed book, what its pages say, and where links lead, counted from 1."""

    reader: PdfReader
    texts: list[str]
    numbers: dict[str, int]

    def page_of(self, target):
        """What stands on the page of a target, in one line."""
        return " ".join(self.texts[self.numbers[target] - 1].split())

    def part_of(self, page):
        """What a page of the site has become, in one line."""
        order = [*(self.numbers[one_page.own_id(each)] for each in pages()), None]
        at = pages().index(page)
        last = order[at + 1] - 1 if order[at + 1] else None
        return " ".join(" ".join(self.texts[order[at] - 1 : last]).split())


@pytest.fixture(scope="module")
def book():
    browser.executable()
    pdf.ensure(make.SITE_FOLDER, make.PDF)
    reader = PdfReader(make.PDF)
    texts = [text_of(page) for page in reader.pages]
    return Book(reader, texts, pdf.page_numbers(reader))


@pytest.fixture(scope="module")
def joined():
    return one_page.parsed(bound.bound(make.SITE_FOLDER))


def text_of(page):
    """Read a page; without the outlines of its formulas that is four times as fast."""
    rest = DecodedStreamObject()
    rest.set_data(OUTLINES.sub(b"", page.get_contents().get_data()))
    page[NameObject("/Contents")] = rest
    return page.extract_text()


def squeezed(text):
    """Leaves out spaces, which are distances on paper; takes ligatures apart."""
    text = unicodedata.normalize("NFKC", text).replace("ʼ", "’")
    return re.sub(r"\s", "", text)


def title(page):
    """What a page is called in the book."""
    if page == pages()[0]:
        return bound.PREFACE
    return of(page).title.text.rpartition(" — ")[0]


def bookmarks(outline, level=0):
    for each in outline:
        if isinstance(each, list):
            yield from bookmarks(each, level + 1)
        else:
            yield level, each


@printed
def test_the_book_is_a_book_of_a4_pages_with_a_title_and_an_author(book):
    assert len(book.texts) >= 150
    assert book.reader.metadata.title == "The Jensen Gap"
    assert book.reader.metadata.author == bound.settings()["author"]
    assert book.reader.root_object["/Lang"] == "en"
    assert book.reader.root_object["/MarkInfo"]["/Marked"]
    sizes = {
        tuple(round(n / 72 * 25.4) for n in p.mediabox[2:]) for p in book.reader.pages
    }
    assert sizes == {(210, 297)}


@printed
def test_the_bookmarks_are_the_titles_in_the_order_of_the_contents(book):
    marks = [(level, mark.title) for level, mark in bookmarks(book.reader.outline)]
    wanted = [(0, "Contents")]
    numerals = iter(("Part I. ", "Part II. ", "Part III. "))
    for caption, numbered, names in parts():
        if caption:
            wanted.append((0, (next(numerals) if numbered else "") + caption))
        wanted += [(int(bool(caption)), title(name)) for name in names]
    heads = set(wanted)
    found = [mark for mark in marks if mark in heads]
    assert found == wanted


@printed
def test_each_bookmark_leads_to_the_page_with_its_heading(book):
    for _, mark in bookmarks(book.reader.outline):
        here = book.reader.get_destination_page_number(mark)
        if "\\" not in mark.title:  # a formula
            assert squeezed(mark.title) in squeezed(book.texts[here]), mark.title


@printed
def test_the_contents_and_the_foot_of_a_page_know_its_number_and_its_chapter(book):
    contents = book.texts[1]
    for page in pages():
        number = book.numbers[one_page.own_id(page)]
        assert squeezed(f"{title(page)}{number}") in squeezed(contents), page
        foot = squeezed(f"The Jensen Gap · {title(page)}")
        assert foot in squeezed(book.texts[number - 1]), page
    for number, text in enumerate(book.texts[1:], 2):
        assert str(number) in text.split("\n")[0] + text.split("\n")[-1], number


@printed
@pytest.mark.parametrize("page", chapters())
def test_equations_have_the_numbers_of_the_site_where_links_lead_to_them(book, page):
    equations = article(page).select("div.math[id^=equation-]")
    assert equations
    for equation in equations:
        number = equation.select_one(".eqno").find(string=True).strip()
        assert re.fullmatch(r"\(\d+\.\d+\)", number)
        assert number in book.page_of(equation["id"]), equation["id"]


@printed
@pytest.mark.parametrize("page", chapters())
def test_theorems_and_exercises_have_the_numbers_of_the_site(book, page):
    numbers = [each.text.strip() for each in article(page).select(".caption-number")]
    text = squeezed(book.part_of(page))
    assert any(number.startswith("Exercise") for number in numbers)
    for number in numbers:
        assert squeezed(number) in text, number
    solutions = article(page).select(".solution > .admonition-title")
    assert solutions
    for solution in solutions:
        assert squeezed(solution.text.rstrip("#")) in text, solution.text


@printed
def test_every_link_leads_into_the_book_or_out_to_the_network(book):
    inside = 0
    for page in book.reader.pages:
        for each in page.get("/Annots", ()):
            link = each.get_object()
            if "/Dest" in link:
                inside += 1
                assert link["/Dest"].removeprefix("/") in book.numbers
            else:
                assert link["/A"]["/URI"].startswith(("https://", "http://"))
    assert inside > 1000


@printed
def test_no_page_is_empty_and_no_control_is_left(book):
    for number, text in enumerate(book.texts, 1):
        said = [line for line in text.split("\n") if "The Jensen Gap · " not in line]
        assert len("".join(said).strip()) > 60, number
        assert CONTROLS.isdisjoint(line.strip() for line in said), number
        assert "code cell source" not in text


@printed
@pytest.mark.parametrize("page", [p for p in pages() if holds(p, "jg-moving")])
def test_a_moving_figure_shows_its_middle_frame_and_says_so(book, page):
    text = squeezed(book.part_of(page))
    for figure in article(page).select(".jg-moving"):
        sliders = figure.select("label")
        for slider in sliders:
            place, end = (int(slider.input[name]) for name in ("value", "max"))
            assert place == (end + 1) // 2
        states = [f"{each.span.text} = {each.output.text}" for each in sliders]
        assert squeezed(f"{FRAME} {', '.join(states)}.") in text
        for label in figure.svg("text"):
            assert squeezed(label.text) in text, label.text


def test_ids_are_unique_and_what_refers_to_one_finds_it(joined):
    ids = [each["id"] for each in joined(id=True)]
    assert len(ids) == len(set(ids))
    text = str(joined)
    links = {each["href"][1:] for each in joined(href=re.compile("^#"))}
    assert len(links) > 500
    assert links | set(re.findall(r"url\(#([\w-]+)\)", text)) <= set(ids)
    assert {each["data-page-of"] for each in joined.select("[data-page-of]")} <= links


def test_on_paper_nothing_can_be_pressed_and_nothing_is_folded(joined):
    assert not joined.select("article :is(script, form, input, button, canvas)")
    assert not joined.select("details:not([open]), details.hide")


def test_an_id_of_many_chapters_is_told_apart_and_one_of_its_own_is_kept():
    texts = {"a": '<p id="same"></p><p id="own"></p>', "b/c": '<p id="same"></p>'}
    book = [one_page.Page(k, k, one_page.parsed(v)) for k, v in texts.items()]
    assert one_page.unique_names(book) == {
        ("a", "same"): "page-a-same",
        ("a", "own"): "own",
        ("b/c", "same"): "page-b-c-same",
        ("a", ""): "page-a",
        ("b/c", ""): "page-b-c",
    }


@pytest.mark.parametrize(
    ("href", "leads_to"),
    [
        ("#x", "#x"),
        ("../a.html#x", "#page-a-x"),
        ("../a.html", "#page-a"),
        ("https://example.org/a.html#x", "https://example.org/a.html#x"),
        ("../search.html", ""),
    ],
)
def test_a_link_leads_to_the_same_place_in_the_book(href, leads_to):
    names = {("b/c", ""): "page-b-c", ("b/c", "x"): "x", ("a", ""): "page-a"}
    names["a", "x"] = "page-a-x"
    assert one_page._address("b/c", href, names) == leads_to


def test_a_link_to_nowhere_is_named():
    with pytest.raises(ValueError, match=r"links to #gone, which is not in the site"):
        one_page._address("a", "#gone", {("a", ""): "page-a"})


@pytest.fixture
def old(tmp_path):
    """A book that was printed earlier, in a folder of its own."""
    path = tmp_path / "made" / "old.pdf"
    path.parent.mkdir()
    path.write_bytes(b"yesterday's")
    return path


def assert_untouched(old):
    assert old.read_bytes() == b"yesterday's"
    beside = {path.name for path in old.parent.iterdir()}
    assert beside <= {"old.pdf", ".old.pdf.lock"}


def test_without_a_browser_it_is_said_what_to_install(monkeypatch, tmp_path, old):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"Chromium is wanted.*apt install chromium"):
        pdf.ensure(make.SITE_FOLDER, old)
    with pytest.raises(SystemExit, match="Chromium is wanted"):
        make.pdf()
    assert_untouched(old)


@pytest.mark.skipif(shutil.which("true") is None, reason="wants a program that ends")
def test_a_browser_that_fails_leaves_the_old_book(monkeypatch, tmp_path, old):
    (tmp_path / "chromium").symlink_to(shutil.which("true"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "bound", lambda site: "<p>a book</p>")
    with pytest.raises(SystemExit, match="no PDF was made"):
        pdf.ensure(make.SITE_FOLDER, old)
    assert_untouched(old)


TOY = """<!DOCTYPE html><html lang="en"><title>Toy</title><body class="bd-article">
<script>window.MathJax = {startup: {promise: Promise.resolve(), document: {math: []}}};
</script>%s</body></html>"""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<h1>A</h1><p style="width: 300mm">wide</p>', "wider than the page"),
        (r'<h1>A</h1><p class="math">\(x\)</p>', "not set"),
    ],
)
def test_what_paper_would_clip_is_named_and_the_old_book_stays(
    monkeypatch, old, text, fault
):
    browser.executable()
    monkeypatch.setattr(pdf, "bound", lambda site: TOY % text)
    with pytest.raises(SystemExit, match=fault):
        pdf.ensure(make.SITE_FOLDER, old)
    assert_untouched(old)


def test_a_second_print_is_made_only_of_another_site(monkeypatch, tmp_path, old):
    browser.executable()
    site = tmp_path / "site"
    site.mkdir()
    toy = TOY % '<h1 id="a">Two words</h1><a href="#a">a</a>'
    monkeypatch.setattr(pdf, "bound", lambda site: toy)
    assert pdf.ensure(site, old)
    assert PdfReader(old).outline[0].title == "Two words"
    assert not pdf.ensure(site, old)
    (site / "new.html").write_text("changed")
    assert pdf.ensure(site, old)
