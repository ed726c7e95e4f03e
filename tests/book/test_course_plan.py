"""The course plan: every chapter and every exercise in one place, hours that add up."""

import re

import pytest
from reading import prose, text

from tools.book.toc import chapters

PLAN = text("appendix/course-plan")
MINUTES = {
    "a quarter of an hour": 15,
    "twenty minutes": 20,
    "half an hour": 30,
    "forty minutes": 40,
    "fifty minutes": 50,
    "an hour": 60,
    "seventy minutes": 70,
    "eighty minutes": 80,
    "an hour and a half": 90,
}
EACH_EXERCISE = MINUTES["twenty minutes"]
WEEKS = range(1, 7)

each_week = pytest.mark.parametrize("week", WEEKS)


def name(page):
    return page.split("/")[-1]


def exercises(page):
    return re.findall(r"\{exercise\}.*\n:label: (\S+)", prose(page))


def section(week):
    """Return what the plan says about one week."""
    found = re.search(
        rf"(?ms)^\(week-{week}\)=\n(.*?)(?=^\(week-|^## (?:Beyond|How))", PLAN
    )
    return found[1]


def row(week):
    """Return a week's row of the table: its chapters, and its minutes."""
    line = re.search(rf"(?m)^\| \{{ref\}}`{week} <week-{week}>` \|(.*)\|$", PLAN)[1]
    chapters, *numbers = line.split("|")
    return re.findall(r"`ch-([\w-]+)`", chapters), [int(number) for number in numbers]


def reading(page):
    """Return how long a chapter says that it takes, in minutes."""
    said = re.search(r"\*\*Time\*\* ([^;.]*)", prose(page))[1]
    return MINUTES[" ".join(said.split())]


def weeks_pages(week):
    labels = re.findall(r"`ch-([\w-]+)`", section(week).split("**Do**")[0])
    return [page for page in chapters() if name(page) in labels]


def beyond():
    """Return the chapters that are in no week, by name, and the exercises listed."""
    found = re.search(r"(?ms)^## Beyond the six weeks\n(.*?)^## How", PLAN)
    items = re.split(r"(?m)^- ", found[1])[1:] if found else []
    names = [re.match(r"\{ref\}`ch-([\w-]+)`", item)[1] for item in items]
    return names, [re.findall(r"`(ex-[\w-]+)`", item) for item in items]


def test_the_weeks_read_all_chapters_once_and_in_order_but_those_beyond():
    later, _ = beyond()
    read = [page for week in WEEKS for page in weeks_pages(week)]
    assert read == [page for page in chapters() if name(page) not in later]
    assert later == [name(page) for page in chapters() if page not in read]


def test_every_exercise_is_set_in_exactly_one_week_or_beyond():
    planned = [ex for week in WEEKS for ex in re.findall(r"`(ex-[\w-]+)`", tasks(week))]
    planned += [ex for listed in beyond()[1] for ex in listed]
    assert sorted(planned) == sorted(
        ex for page in chapters() for ex in exercises(page)
    )


def test_beyond_the_weeks_a_chapter_is_listed_with_its_exercises():
    there = {name(page): exercises(page) for page in chapters()}
    names, listed = beyond()
    assert listed == [there[each] for each in names]


def tasks(week):
    """Return the paragraph that sets a week's exercises."""
    return section(week).split("**Do**")[1].split("**Project**")[0]


@each_week
def test_an_exercise_is_set_when_its_chapter_is_read(week):
    there = {ex for page in weeks_pages(week) for ex in exercises(page)}
    assert set(re.findall(r"`(ex-[\w-]+)`", tasks(week))) == there


@each_week
def test_the_table_says_what_the_weeks_say(week):
    assert row(week)[0] == [name(page) for page in weeks_pages(week)]


@each_week
def test_a_weeks_minutes_add_up(week):
    read, exercise, project, together = row(week)[1]
    pages = weeks_pages(week)
    assert read == sum(map(reading, pages))
    assert exercise == EACH_EXERCISE * sum(len(exercises(page)) for page in pages)
    assert together == read + exercise + project


def test_the_last_row_is_the_sum_and_the_range_of_hours_is_right():
    last = re.search(r"(?m)^\| all \| \|(.*)\|$", PLAN)[1]
    totals = [int(number) for number in last.split("|")]
    by_week = [row(week)[1] for week in WEEKS]
    assert totals == [sum(column) for column in zip(*by_week, strict=True)]
    assert "between five and eight hours a week" in " ".join(PLAN.split())
    assert all(5 * 60 <= numbers[-1] <= 8 * 60 for numbers in by_week)


@each_week
def test_a_week_has_a_project_and_a_way_to_tell_that_it_is_done(week):
    for promise in ("**Read**", "**Do**", "**Project**", "**You are through when**"):
        assert section(week).count(promise) == 1
