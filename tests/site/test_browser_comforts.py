"""What helps a reader: search, previews, read marks, copying, paper, no scripts."""

import re
from itertools import pairwise
from unicodedata import normalize
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup
from built import of
from visits import DESKTOP, NO_STORAGE, PHONE, file_address, ill_set, served, visit

from tools.book.toc import chapters, pages

FIRST, NEXT = chapters()[:2]


@pytest.fixture(scope="module")
def site():
    with served() as address:
        yield address


def test_search_finds_a_term_and_leads_to_it_from_wherever_one_is(browser, site):
    with visit(browser, f"{site}/index.html", **DESKTOP) as seen:
        for term in ("ELBO", "Jensen", "discriminator"):
            seen.page.keyboard.press("Control+k")
            seen.page.keyboard.type(term)
            seen.page.keyboard.press("Enter")
            seen.page.locator("#search-results li a").first.click()
            seen.page.wait_for_url(lambda address: "search.html" not in address)
            text = seen.page.locator("article").inner_text().lower()
            assert term.lower() in text, term
        assert not seen.complaints
        assert all(each.startswith((site, "data:")) for each in seen.requests)


# Of the words, those that lead to this page neither as a page nor as an entry.
LOST = """([words, page]) => words.filter(word => {
  if (stopwords.includes(word.toLowerCase())) return false;
  const found = Search._performSearch(...Search._parseQuery(word));
  return !found.some(each => each[0] === page);
})"""


@pytest.mark.parametrize("page", [FIRST, "appendix/glossary", "appendix/references"])
def test_every_word_of_a_page_finds_it_in_any_spelling(browser, page):
    texts = of(page).select("article :is(p, dt, h2):not(form *, .cell *, svg *)")
    words = {w for each in texts for w in re.findall(r"[^\W\d_]{3,}", _plain(each))}
    assert len(words) > 200
    folded = {"".join(c for c in normalize("NFD", w) if c.isalpha()) for w in words}
    spelled = words | folded | {normalize("NFD", w) for w in words}
    with visit(browser, file_address("search"), **DESKTOP) as seen:
        seen.page.wait_for_function("Search.hasIndex()")
        assert seen.page.evaluate(LOST, [sorted(spelled), page]) == []


def _plain(element):
    """Return an element's words, without its formulas and keys such as GKS18."""
    own = BeautifulSoup(str(element), "html.parser")
    keys = ".bibtex-citation, .label"
    for each in own.select(f".math, script, .headerlink, .section-number, {keys}"):
        each.replace_with(" ")
    return own.get_text()


@pytest.mark.parametrize("name", ["Kynkäänniemi", "SCHOLKOPF", "Hyva\u0308rinen"])
def test_a_name_is_found_and_marked_however_it_is_typed(browser, site, name):
    with visit(browser, f"{site}/search.html?q={name}", **DESKTOP) as seen:
        link = seen.page.locator('#search-results li a[href*="appendix/references"]')
        link.wait_for()
        context = seen.page.locator("#search-results .context").first
        context.wait_for()
        assert any(each in context.inner_text() for each in ("ään", "öl", "vär"))
        link.click()
        seen.page.locator("article .highlighted").first.wait_for()
        assert not seen.complaints


def leads(page, way):
    """Return where a page's link onward or back leads to, and nothing without one."""
    link = of(page).select_one(way)
    return link and urljoin(file_address(page), link["href"]).split("#")[0]


def test_next_leads_through_all_pages_in_order_and_previous_back():
    for before, page in pairwise(pages()):
        assert leads(before, "a.right-next") == file_address(page), before
        if page != "genindex":  # Sphinx writes that one, with no way onward or back
            assert leads(page, "a.left-prev") == file_address(before), page
    assert leads(pages()[-1], "a.right-next") is None


def test_next_and_previous_are_there_to_be_pressed_without_scripts(browser):
    with visit(browser, file_address(FIRST), java_script_enabled=False) as seen:
        seen.page.locator("a.right-next").click()
        assert seen.page.url.split("#")[0] == file_address(NEXT)
        seen.page.locator("a.left-prev").click()
        assert seen.page.url.split("#")[0] == file_address(FIRST)


def _reference(page, kind):
    """Return the first link of a page to an equation of its own, or of another."""
    links = of(page).select("article p a.reference.internal[href]")
    for link in links:
        own = link["href"].startswith("#equation-")
        other = ".html#equation-" in link["href"]
        if (own and kind == "own") or (other and kind == "other"):
            return f'article p a.reference.internal[href="{link["href"]}"]'
    return None


def _page_with_reference(kind):
    found = [page for page in chapters() if _reference(page, kind)]
    assert found, f"no chapter refers to an equation of {kind} page"
    return found[0], _reference(found[0], kind)


def test_a_reference_shows_the_equation_that_it_means_to_pointer_and_keys(browser):
    page, link = _page_with_reference("own")
    with visit(browser, file_address(page), **DESKTOP) as seen:
        anchor = seen.page.locator(link).first
        preview = seen.page.locator(".jg-preview")
        for way in ("pointer", "keyboard"):
            if way == "pointer":
                anchor.hover()
            else:
                seen.page.mouse.move(0, 0)
                anchor.scroll_into_view_if_needed()
                seen.page.keyboard.press("Tab")  # from now on focus is shown
                anchor.focus()
            preview.wait_for()
            assert preview.locator("mjx-container svg").count() == 1, way
            room = preview.bounding_box()
            assert room["x"] >= 0, way
            assert room["x"] + room["width"] <= DESKTOP["viewport"]["width"], way
            assert anchor.get_attribute("aria-describedby") == "jg-preview", way
            seen.page.keyboard.press("Escape")
            assert preview.count() == 0, way
        assert not seen.complaints


def test_an_equation_of_another_page_is_shown_where_a_page_may_be_read(browser, site):
    page, link = _page_with_reference("other")
    with visit(browser, f"{site}/{page}.html", **DESKTOP) as seen:
        seen.page.locator(link).first.hover()
        seen.page.locator(".jg-preview mjx-container svg").wait_for()
        seen.page.mouse.move(0, 0)
        seen.page.wait_for_selector(".jg-preview", state="detached")
        assert not seen.complaints
    with visit(browser, file_address(page), **DESKTOP) as seen:
        seen.page.locator(link).first.hover()
        seen.page.wait_for_timeout(500)
        assert seen.page.locator(".jg-preview").count() == 0
        assert not seen.complaints


def test_a_chapter_is_marked_as_read_and_stays_so_in_this_browser_alone(browser, site):
    with visit(browser, f"{site}/{FIRST}.html", **DESKTOP) as seen:
        button = seen.page.get_by_role("button", name="Mark as read")
        button.focus()
        seen.page.keyboard.press("Enter")
        count = seen.page.locator(".jg-read-count")
        assert count.inner_text() == f"1 of {len(chapters())} chapters read"
        seen.go(f"{site}/{NEXT}.html")
        assert count.inner_text().startswith("1 of")
        ticked = seen.page.locator(".bd-docs-nav a:has(.jg-read)")
        assert ticked.count() == 1
        assert ticked.get_attribute("href").endswith(f"{FIRST.split('/')[-1]}.html")
        seen.go(f"{site}/{FIRST}.html")
        seen.page.locator(".jg-mark-read[aria-pressed=true]").click()
        assert seen.page.locator(".jg-read").count() == 0
        assert count.is_hidden()
        assert not seen.complaints
        assert all(each.startswith((site, "data:")) for each in seen.requests)


def test_a_browser_that_keeps_nothing_shows_all_the_same(browser):
    with visit(browser, "about:blank", **DESKTOP) as seen:
        seen.page.add_init_script(NO_STORAGE)
        seen.go(file_address(FIRST))
        assert not ill_set(seen.page)
        seen.page.locator(".jg-mark-read").click()
        assert "keeps nothing" in seen.page.locator(".jg-read-note").inner_text()
        assert seen.page.locator(".jg-read").count() == 1
        theme = "document.documentElement.dataset.theme"
        before = seen.page.evaluate(theme)
        for _ in range(2):  # from the system's to light, then to dark
            seen.page.locator(".theme-switch-button").first.click()
        assert seen.page.evaluate(theme) != before
        assert not seen.complaints


def test_light_and_dark_are_switched_by_hand_and_remembered(browser, site):
    with visit(browser, f"{site}/index.html", **DESKTOP) as seen:
        button = seen.page.locator(".theme-switch-button").first
        modes = []
        for _ in range(3):
            button.focus()
            seen.page.keyboard.press("Enter")
            modes.append(seen.page.evaluate("document.documentElement.dataset.mode"))
            shown = button.locator("i:visible")
            assert shown.count() == 1
            assert shown.get_attribute("data-mode") == modes[-1]
        assert set(modes) == {"light", "dark", "auto"}
        seen.page.evaluate("localStorage.setItem('mode', 'dark')")
        seen.page.evaluate("localStorage.setItem('theme', 'dark')")
        seen.go(f"{site}/{FIRST}.html")
        assert seen.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_code_is_copied_by_a_button_and_formulas_have_a_menu_when_asked(browser, site):
    allowed = {"permissions": ["clipboard-read", "clipboard-write"]}
    with visit(browser, f"{site}/{FIRST}.html", **DESKTOP, **allowed) as seen:
        cell = seen.page.locator("div.cell_input div.highlight").first
        cell.hover()
        cell.locator("button.copybtn").click()
        copied = seen.page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == cell.locator("pre").inner_text().strip()
        assert not [each for each in seen.requests if "/ui/menu" in each]
        seen.page.locator("mjx-container").first.click(button="right")
        seen.page.locator(".CtxtMenu_Menu").first.wait_for()
        assert not ill_set(seen.page)
        assert not seen.complaints


@pytest.mark.parametrize("page", [FIRST, chapters()[-1]])
def test_on_paper_there_is_the_text_with_all_that_is_folded(browser, page):
    with visit(browser, file_address(page), color_scheme="dark", **DESKTOP) as seen:
        paper = seen.page
        paper.emulate_media(media="print")
        paper.evaluate("dispatchEvent(new Event('beforeprint'))")
        hidden = ".bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer"
        hidden += ", .bd-header-article, .jg-controls, .jg-chapter-end, .copybtn"
        assert not paper.locator(hidden).filter(visible=True).count()
        assert not paper.locator("article details:not([open], .hide)").count()
        assert paper.locator("article h1").is_visible()
        for solution in paper.locator("article div.solution").all():
            assert solution.locator("p").last.is_visible()
        ground = "getComputedStyle(document.body).backgroundColor"
        assert paper.evaluate(ground) == "rgb(255, 255, 255)"
        ink = "getComputedStyle(document.querySelector('article p')).color"
        assert paper.evaluate(ink) == "rgb(0, 0, 0)"
        addresses = """[...document.querySelectorAll("article a")].filter(link =>
          getComputedStyle(link, "::after").content.includes("http")).length"""
        assert paper.evaluate(addresses) == 0
        assert not seen.complaints


def test_without_scripts_the_middle_frame_and_a_sentence_remain(browser):
    moving = [page for page in pages() if of(page).select(".jg-moving")]
    assert moving
    with visit(browser, "about:blank", java_script_enabled=False, **PHONE) as seen:
        for page in moving:
            seen.go(file_address(page))
            for figure in seen.page.locator(".jg-moving").all():
                assert figure.locator("svg").first.is_visible()
                words = BeautifulSoup(figure.inner_html(), "html.parser").noscript
                assert "scripts" in words.get_text()
                assert "scripts" in figure.inner_text()
