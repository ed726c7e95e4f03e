"""What a reader has answered: seen in the sidebar, led to the solution, cleared."""

import json

import pytest
from built import of
from playwright.sync_api import expect
from visits import (
    DESKTOP,
    NARROWEST,
    NO_STORAGE,
    PHONE,
    SIZES,
    file_address,
    pale,
    served,
    too_wide,
    violations,
    visit,
)

from jensengap.exercises import chapters as bank
from jensengap.exercises import form
from jensengap.exercises.answer import truths
from jensengap.exercises.question import Choice
from tools.book.toc import chapters, pages

FIRST, NEXT = chapters()[2:4]


@pytest.fixture(scope="module")
def site():
    with served() as address:
        yield address


def labels(page):
    return [each["data-exercise"] for each in of(page).select("form.jg-ask")]


def answer(page, label, rightly=True):
    question, ask = bank.find(label), page.locator(f"#ask-{label}")
    if isinstance(question, Choice):
        wrong = next(each for each in question.options if each != question.right)
        option = question.right if rightly else wrong
        ask.locator(f"input[value={json.dumps(option)}]").check()
    else:
        number = float(truths(question, question.cases[0]))
        ask.locator("input[type=text]").fill(repr(number if rightly else number + 1e4))
    ask.get_by_role("button", name="Check").click()
    return ask


def beside(page, chapter):
    """Return what the sidebar says beside a chapter: to the eye, and aloud."""
    name = chapter.split("/")[-1]
    here = page.url.split("#")[0].endswith(f"{name}.html")
    link = ".current > a.current" if here else f'a[href$="{name}.html"]'
    mark = page.locator(f".bd-docs-nav {link} .jg-progress")
    if not mark.count():
        return None
    seen, heard = mark.locator("span").all()
    return seen.text_content().strip(), heard.text_content().strip(" ,")


def test_every_page_knows_all_exercises_and_their_questions():
    told = [json.loads(of(page).select_one("#jg-exercises").text) for page in pages()]
    assert all(each == told[0] for each in told)
    assert set(told[0]) == set(chapters())
    listed = {label: kept for each in told[0].values() for label, kept in each.items()}
    wanted = {label: form.digest(each) for label, each in bank.every().items()}
    assert listed == wanted


def test_progress_is_seen_at_once_on_every_page_and_is_kept(browser, site):
    with visit(browser, f"{site}/{FIRST}.html", **DESKTOP) as seen:
        page, exercises = seen.page, labels(FIRST)
        assert page.locator(".jg-progress").count() == 0
        assert page.locator(".jg-answers").is_hidden()
        answer(page, exercises[0], rightly=False)
        every = len(exercises)
        assert beside(page, FIRST) == (f"0/{every}", f"0 of {every} exercises right")
        for count, label in enumerate(exercises, 1):
            answer(page, label)
            said = f"{count} of {every} exercises right"
            assert beside(page, FIRST) == (f"{count}/{every}", said)
        for other in (NEXT, "index"):
            seen.go(f"{site}/{other}.html")
            assert beside(page, FIRST) == (f"{every}/{every}", said)
            assert page.locator(".jg-progress").count() == 1
        whole = f"{every} of {len(bank.every())} exercises right"
        assert page.locator(".jg-answers span").inner_text() == whole
        assert not seen.complaints
        assert all(each.startswith((site, "data:")) for each in seen.requests)


def test_all_answers_are_cleared_when_that_is_confirmed(browser):
    with visit(browser, file_address(FIRST), **DESKTOP) as seen:
        page, (label, *_) = seen.page, labels(FIRST)
        ask = answer(page, label)
        page.evaluate("localStorage.setItem('of-somebody-else', '1')")
        other = page.context.new_page()
        other.goto(file_address("index"))
        expect(other.locator(".jg-progress")).to_have_count(1)
        button = page.get_by_role("button", name="Clear all answers")
        page.once("dialog", lambda asked: asked.dismiss())
        button.click()
        assert ask.get_attribute("data-state") == "right"
        page.once("dialog", lambda asked: asked.accept())
        button.press("Enter")
        assert ask.get_attribute("data-state") is None
        assert ask.locator(".jg-said").text_content() == ""
        assert page.evaluate("document.activeElement.className") == "jg-answers"
        expect(page.locator(".jg-progress")).to_have_count(0)
        expect(other.locator(".jg-progress")).to_have_count(0)
        kept = "Object.keys(localStorage).filter(key => /answer|else/.test(key))"
        assert page.evaluate(kept) == ["of-somebody-else"]
        assert not seen.complaints


def test_a_right_answer_leads_to_the_solution_and_a_wrong_one_does_not(browser):
    with visit(browser, file_address(FIRST), **DESKTOP) as seen:
        page = seen.page
        for label in labels(FIRST):
            ask = answer(page, label, rightly=False)
            assert ask.locator("a").count() == 0
            answer(page, label)
            link = ask.get_by_role("link", name="Compare with the solution")
            solution = page.locator(".solution").filter(
                has=page.locator(f'.admonition-title a[href="#{label}"]')
            )
            assert not solution.locator("section").is_visible()
            link.press("Enter")
            assert solution.locator("section").is_visible()
            assert solution.evaluate("it => it === document.activeElement")
            top = solution.evaluate("it => it.getBoundingClientRect().top")
            assert 0 <= top < DESKTOP["viewport"]["height"] / 2
            link.press("Enter")  # it is open already, and stays so
            assert solution.locator("section").is_visible()
        page.reload()
        page.wait_for_load_state()
        assert page.get_by_role(
            "link", name="Compare with the solution"
        ).count() == len(labels(FIRST))
        ask.get_by_role("textbox").or_(ask.get_by_role("radio")).first.focus()
        page.keyboard.press("Space")
        page.keyboard.type("1")
        assert not seen.complaints


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_and_controls_are_accessible_and_fit_on_all_screens(browser, theme):
    with visit(browser, file_address(FIRST), color_scheme=theme, **DESKTOP) as seen:
        page = seen.page
        for label, rightly in zip(labels(FIRST), [True, True, False], strict=False):
            answer(page, label, rightly)
        for size in (PHONE["viewport"], NARROWEST):
            page.set_viewport_size(size)
            assert too_wide(page) == []
            page.locator(".primary-toggle").click()
            page.get_by_role("button", name="Clear all answers").wait_for()
            assert too_wide(page) == []
            page.keyboard.press("Escape")
        assert violations(page, SIZES) == []
        page.set_viewport_size(DESKTOP["viewport"])
        assert pale(page) == []
        page.emulate_media(media="print")
        controls = ".jg-kept, .jg-way, .jg-answers, .jg-progress, .jg-said"
        assert not page.locator(controls).filter(visible=True).count()


def test_without_storage_an_answer_is_marked_and_nothing_is_counted(browser):
    with visit(browser, "about:blank", **DESKTOP) as seen:
        seen.page.add_init_script(NO_STORAGE)
        seen.go(file_address(FIRST))
        ask = answer(seen.page, labels(FIRST)[0])
        assert ask.get_attribute("data-state") == "right"
        assert ask.get_by_role("link", name="Compare").count() == 1
        assert seen.page.locator(".jg-progress").count() == 0
        assert not seen.complaints
