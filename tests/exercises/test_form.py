"""A question becomes a form, and the page says what the package says."""

import decimal
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
    *("5.99", "6.01", "5.9899", "6 bits", "8.6562 bits", "6 draws", "600%", "6 7/8"),
    *("6,000", "1 000", "5 1/1", "log 400", "4,06", "1/0 bits", "2·3", "x = 6"),
)


def kernel_says(question, text):
    """Say what the kernel says to a text; without what it adds of functions."""
    said = marking.mark(question, text).said
    empty = marking.SAID["empty"]
    return empty if said.startswith(empty) else said


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
            assert enter(watched.page, AREA, text) == kernel_says(AREA, text), text
        assert watched.complaints == []


def test_thousands_may_be_separated_as_the_book_and_others_write_them(
    browser, tmp_path
):
    large = AREA._replace(answer=lambda a, b: 14138.25, tolerance=1.0)
    small = AREA._replace(label="ex-test-small", answer=lambda a, b: 14.138)
    path = written(tmp_path, form.markup(large), form.markup(small))
    with opened(browser, path) as watched:
        for text in ("14138", "14,138", "14\u202f138", "14 138", "14'138", "14,138.2"):
            said = enter(watched.page, large, text)
            read = " (read as 14138" * (text != "14138")
            assert said.startswith(RIGHT + read), text
        said = enter(watched.page, small, "14,138")
        assert said == f"{RIGHT} (read as 14.138)"
        said = enter(watched.page, large, "14,13")
        assert said == f"{marking.SAID['small']} (read as 14.13)"
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
    values += [sign * edge for edge in edges(question) for sign in (1, -1)]
    return {repr(value): value for value in values}


def edges(question):
    """List the four numbers next to a tolerance's ends: two inside, two outside."""
    truth = float(question.answer(**question.cases[0]))
    off = (-1.001, -1, 1, 1.001)
    return [truth + factor * question.tolerance for factor in off]


def typed_edges(question):
    """Write a tolerance's ends as they are computed on paper."""
    truth = float(question.answer(**question.cases[0]))
    tolerance = decimal.Decimal(f"{question.tolerance:g}")
    return [str(decimal.Decimal(repr(truth)) + sign * tolerance) for sign in (-1, 1)]


def rounded_edges(question):
    """Round the truth to as many digits as the tolerance has, and go to its ends."""
    truth = float(question.answer(**question.cases[0]))
    tolerance = decimal.Decimal(f"{question.tolerance:g}")
    rounded = decimal.Decimal(repr(truth)).quantize(tolerance)
    exact = question._replace(answer=lambda **case: float(rounded), mistakes=())
    return exact, [str(rounded + sign * tolerance) for sign in (-1, 1)]


NUMBERS = [each for each in QUESTIONS.values() if not isinstance(each, Choice)]


@pytest.mark.parametrize("question", NUMBERS, ids=lambda question: question.label)
def test_the_edge_of_a_tolerance_belongs_to_it_in_a_kernel(question):
    said = [marking.mark(question, each).state for each in edges(question)]
    assert said == [marking.WRONG, marking.RIGHT, marking.RIGHT, marking.WRONG]
    for text in typed_edges(question):
        assert marking.mark(question, text).state == marking.RIGHT, text
    exact, texts = rounded_edges(question)
    for text in texts:
        assert marking.mark(exact, text).state == marking.RIGHT, text
        assert marking.mark(exact, float(text)).state == marking.RIGHT, text


def test_the_edge_of_a_tolerance_belongs_to_it_in_a_page(browser, tmp_path):
    shown = [rounded_edges(question)[0] for question in NUMBERS]
    real = written(tmp_path, *map(form.markup, NUMBERS))
    made = written(tmp_path, *map(form.markup, shown), name="rounded")
    with opened(browser, real) as watched:
        for question in NUMBERS:
            texts = [*map(repr, edges(question)), *typed_edges(question)]
            name = f"ask-{question.label}"
            found = watched.page.evaluate(ENTER_ALL, [name, texts])
            right = [said.startswith(marking.SAID["right"]) for said in found]
            assert right == [False, True, True, False, True, True], question.label
    with opened(browser, made) as watched:
        for question in NUMBERS:
            texts = rounded_edges(question)[1]
            name = f"ask-{question.label}"
            found = watched.page.evaluate(ENTER_ALL, [name, texts])
            assert all(said.startswith(marking.SAID["right"]) for said in found), texts


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
