"""A question becomes a form, and the page says what the package says."""

import json

import pytest
from bs4 import BeautifulSoup
from opened import opened, written
from questions import AREA, SIDE

from jensengap.exercises import chapters, form, marking
from jensengap.exercises.question import Choice

QUESTIONS = {AREA.label: AREA, SIDE.label: SIDE} | chapters.every()
RIGHT = f"Right. {AREA.why}"
each = pytest.mark.parametrize("label", QUESTIONS)


def parsed(question):
    return BeautifulSoup(form.markup(question), "html.parser").form


@each
def test_every_field_has_a_name_and_the_verdict_is_announced(label):
    found = parsed(QUESTIONS[label])
    if isinstance(QUESTIONS[label], Choice):
        assert found.fieldset.legend.text == QUESTIONS[label].ask
        assert len(found.select("label > input[type=radio]")) >= 4
    else:
        (field,) = found.select("input")
        (name,) = found.select(f"label[for={field['id']}]")
        assert name.text == QUESTIONS[label].ask
    assert found.select_one("[role=status]").text == ""
    assert [each.p.text for each in found.select("details")] == list(
        QUESTIONS[label].hints
    )


@each
def test_the_form_carries_what_the_package_computes(label):
    question = QUESTIONS[label]
    data = json.loads(parsed(question).select_one("script").text)
    if isinstance(question, Choice):
        assert data["right"] == question.right
    else:
        assert data["answer"] == float(question.answer(**question.cases[0]))
        assert len(data["mistakes"]) == len(question.mistakes)


ENTERED = (
    *("6", "6.0049", " 6,0 ", "−6", "12/2", "1/0", "", "  ", "six", "6 nats", "1/2/3"),
    *("1e999", "NaN", "0x6", "10", "5", "3", "8.6562", "0.06", "6.02e0", "+6.", ".5"),
)


def python_says(question, text):
    """Say what the package says to a number that was typed."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    if not plain:
        return marking.SAID["empty"]
    try:
        top, _, bottom = plain.partition("/")
        value = float(top) / float(bottom) if bottom else float(top)
    except ZeroDivisionError:
        value = float("inf")
    except ValueError:
        return marking.SAID["not a number"]
    return marking.mark(question, value).said


def enter(page, question, answer):
    """Answer in the page as a reader does, and return what is said."""
    name = f"#ask-{question.label}"
    if isinstance(question, Choice):
        page.locator(f"{name} label", has_text=answer).get_by_text(
            answer, exact=True
        ).click()
        page.locator(f"{name} button").click()
    else:
        page.locator(f"{name} input").fill(answer)
        page.locator(f"{name} input").press("Enter")
    return page.locator(f"{name} .jg-said").text_content()


def test_the_page_reads_numbers_as_people_write_them(browser, tmp_path):
    path = written(tmp_path, form.markup(AREA))
    with opened(browser, path) as watched:
        for text in ENTERED:
            expected = python_says(AREA, text)
            if text in ("NaN",):
                expected = marking.SAID["not a number"]
            assert enter(watched.page, AREA, text) == expected, text
        assert watched.complaints == []


def test_thousands_may_be_separated_as_the_book_and_others_write_them(
    browser, tmp_path
):
    large = AREA._replace(answer=lambda a, b: 14138.25, tolerance=1.0)
    small = AREA._replace(label="ex-test-small", answer=lambda a, b: 14.138)
    path = written(tmp_path, form.markup(large), form.markup(small))
    with opened(browser, path) as watched:
        for text in ("14138", "14,138", "14\u202f138", "14 138", "14'138", "14,138.2"):
            assert enter(watched.page, large, text) == RIGHT, text
        assert enter(watched.page, small, "14,138") == RIGHT
        assert enter(watched.page, large, "14,13") == marking.SAID["small"]
        assert enter(watched.page, large, "1,4,138") == marking.SAID["not a number"]


# All answers to a question at once: some hundred are too many to be typed. Of each kind
# of question one is answered by hand below and above.
ENTER_ALL = """([name, answers]) => {
  const form = document.getElementById(name);
  const said = form.querySelector(".jg-said");
  return answers.map(answer => {
    const options = [...form.querySelectorAll("input[type=radio]")];
    if (options.length) {
      const labels = options.map(each => each.closest("label").textContent.trim());
      options[labels.indexOf(answer)].click();
    } else {
      const field = form.querySelector("input");
      field.value = answer;
      field.dispatchEvent(new Event("input", {bubbles: true}));
    }
    form.querySelector("button").click();
    return said.textContent;
  });
}"""


def foreseen(question):
    """Return what readers are expected to answer, and to what each amounts."""
    if isinstance(question, Choice):
        return {option: option for option in question.options}
    case = question.cases[0]
    truth = float(question.answer(**case))
    values = [truth, -truth, truth * 1.7 + 3, truth - 5]
    values += [float(mistake.answer(**case)) for mistake in question.mistakes]
    return {repr(value): value for value in values}


def test_the_page_says_what_the_package_says_to_every_foreseen_answer(
    browser,
    tmp_path,
):
    path = written(tmp_path, *map(form.markup, QUESTIONS.values()))
    with opened(browser, path) as watched:
        for question in QUESTIONS.values():
            answers = foreseen(question)
            found = watched.page.evaluate(
                ENTER_ALL, [f"ask-{question.label}", list(answers)]
            )
            wanted = [marking.mark(question, each).said for each in answers.values()]
            assert found == wanted, question.label
        for question in (AREA, SIDE):
            for text, answer in foreseen(question).items():
                said = marking.mark(question, answer).said
                assert enter(watched.page, question, text) == said, text
        assert watched.complaints == []


def test_it_is_answered_by_keyboard_alone_and_a_new_entry_clears_the_verdict(
    browser,
    tmp_path,
):
    path = written(tmp_path, form.markup(SIDE))
    with opened(browser, path) as watched:
        page = watched.page
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        said = page.locator(".jg-said")
        assert said.text_content() == SIDE.options["above"]
        page.keyboard.press("ArrowDown")
        assert said.text_content() == ""
        page.keyboard.press("Enter")
        assert said.text_content().startswith("Right.")
        assert page.locator("form").get_attribute("data-state") == "right"
