"""Answers stay in the browser that they were given in, for the question asked."""

import json

import pytest
from opened import opened, written
from questions import AREA, SIDE

from jensengap.exercises import form, marking

KEY = f"jensengap-answer-{AREA.label}"
REFUSED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); },
});"""
FULL = """Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError");
};"""
SIZE = {"viewport": {"width": 800, "height": 600}}
DAMAGED = ["", "{", "null", "[]", '"6"', "6", '{"question": 1, "answer": 6}']


def page_with(folder, *questions, name="page"):
    return written(folder, *map(form.markup, questions), name=name)


def enter(page, question, answer):
    found = page.locator(f"#ask-{question.label}")
    if question is SIDE:
        found.get_by_label(answer, exact=True).check()
        found.get_by_role("button", name="Check").click()
    else:
        found.locator("input").fill(answer)
        found.locator("input").press("Enter")


def shown(page, question):
    """Return what a form holds: the answer, the verdict, and in which state it is."""
    found = page.locator(f"#ask-{question.label}")
    chosen = found.locator("input:checked, input[type=text]")
    return (
        chosen.first.input_value() if chosen.count() else "",
        found.locator(".jg-said").text_content(),
        found.get_attribute("data-state"),
    )


def keeps(page):
    return page.locator(".jg-kept").filter(visible=True).count()


OPEN = ("", "", None)
RIGHT = ("6", f"Right. {AREA.why}", "right")


def test_answers_and_verdicts_are_there_again_after_a_reload(browser, tmp_path):
    path = page_with(tmp_path, AREA, SIDE)
    with opened(browser, path) as watched:
        page = watched.page
        assert shown(page, AREA) == shown(page, SIDE) == OPEN
        assert keeps(page) == 0
        for answer in ("5", "six", "6"):
            enter(page, AREA, answer)
            enter(page, SIDE, "above")
            before = shown(page, AREA), shown(page, SIDE)
            page.reload()
            assert (shown(page, AREA), shown(page, SIDE)) == before
            assert before[0][0] == answer
        assert shown(page, AREA) == RIGHT
        assert shown(page, SIDE)[1] == SIDE.options["above"]
        assert keeps(page) == 2
        # what is typed and not yet handed in is no answer
        page.locator("input[type=text]").fill("7")
        page.reload()
        assert shown(page, AREA) == RIGHT
        assert watched.complaints == []
        assert watched.requests == [path.as_uri()] * 5


def test_the_verdict_is_computed_anew_from_the_answer(browser, tmp_path):
    with opened(browser, page_with(tmp_path, AREA)) as watched:
        page = watched.page
        enter(page, AREA, "6")
        kept = json.loads(page.evaluate("key => localStorage.getItem(key)", KEY))
        kept["answer"] = "5"
        set_ = "([key, text]) => localStorage.setItem(key, text)"
        page.evaluate(set_, [KEY, json.dumps(kept)])
        page.reload()
        assert shown(page, AREA)[1:] == (AREA.mistakes[1].hint, "again")
        for text in DAMAGED:
            page.evaluate(set_, [KEY, text])
            page.reload()
            assert shown(page, AREA) == OPEN
        assert watched.complaints == []


@pytest.mark.parametrize(
    "change",
    [
        {"ask": "How large is it?"},
        {"answer": lambda a, b: a * b + 1},
        {"unit": "bits"},
        {"tolerance": 0.02},
    ],
)
def test_a_question_that_has_changed_is_asked_anew(browser, tmp_path, change):
    path = page_with(tmp_path, AREA)
    with opened(browser, path) as watched:
        enter(watched.page, AREA, "6")
        page_with(tmp_path, AREA._replace(**change))
        watched.page.reload()
        assert shown(watched.page, AREA) == OPEN
        # other hints make no other question, and neither does the last digit
        same = {"hints": ("Look.",), "answer": lambda a, b: a * b * (1 + 1e-12)}
        page_with(tmp_path, AREA._replace(**same))
        watched.page.reload()
        assert shown(watched.page, AREA) == RIGHT


def test_one_answer_is_cleared_and_the_other_stays(browser, tmp_path):
    with opened(browser, page_with(tmp_path, AREA, SIDE)) as watched:
        page = watched.page
        enter(page, AREA, "6")
        enter(page, SIDE, "below")
        page.get_by_role("button", name="Clear this answer").first.press("Enter")
        assert shown(page, AREA) == OPEN
        assert page.evaluate("document.activeElement.type") == "text"
        assert keeps(page) == 1
        page.reload()
        assert shown(page, AREA) == OPEN
        assert shown(page, SIDE)[2] == "right"
        enter(page, AREA, "6")
        enter(page, AREA, " ")
        assert shown(page, AREA)[1] == marking.SAID["empty"]
        page.reload()
        assert shown(page, AREA) == OPEN


def test_two_tabs_show_what_was_answered_last_in_either(browser, tmp_path):
    path = page_with(tmp_path, AREA, SIDE)
    # a context of its own may have two pages
    with opened(browser, path, **SIZE) as watched:
        first, second = watched.page, watched.page.context.new_page()
        second.goto(path.as_uri())
        follows = """([name, state]) => {
          const form = document.getElementById(name);
          return form.dataset.state === state;
        }"""
        for writer, reader in ((first, second), (second, first)):
            for answer, state in (("5", "again"), ("6", "right")):
                enter(writer, AREA, answer)
                reader.wait_for_function(follows, arg=[f"ask-{AREA.label}", state])
                assert shown(reader, AREA) == shown(writer, AREA)
            enter(writer, SIDE, "below")
            reader.wait_for_function(follows, arg=[f"ask-{SIDE.label}", "right"])
            writer.get_by_role("button", name="Clear this answer").first.click()
            reader.wait_for_function(
                follows.replace("=== state", "=== undefined"),
                arg=[f"ask-{AREA.label}", ""],
            )
            assert shown(reader, AREA) == OPEN
        second.close()


@pytest.mark.parametrize("storage", [REFUSED, FULL], ids=["refused", "full"])
def test_a_browser_that_keeps_nothing_marks_all_the_same(browser, tmp_path, storage):
    path = page_with(tmp_path, AREA, SIDE)
    with opened(browser, path, **SIZE) as watched:
        page = watched.page
        page.add_init_script(storage)
        page.reload()
        enter(page, AREA, "6")
        enter(page, SIDE, "below")
        assert shown(page, AREA) == RIGHT
        assert keeps(page) == 0
        page.reload()
        assert shown(page, AREA) == shown(page, SIDE) == OPEN
        assert watched.complaints == []


def test_an_answer_for_which_there_is_no_room_leaves_no_older_one(browser, tmp_path):
    path = page_with(tmp_path, AREA)
    with opened(browser, path, **SIZE) as watched:
        page = watched.page
        enter(page, AREA, "5")
        page.evaluate(f"() => {{ {FULL} }}")
        enter(page, AREA, "6")
        page.reload()
        assert shown(page, AREA) == OPEN
