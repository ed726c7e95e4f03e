"""Whose turn is when: what takes long begins first, so that no process ends late.

Under `make test` two processes take tests from one list. A file is taken as a whole,
since its tests share what is slow to make; of a few files each test is taken by itself.
The list is ordered by the seconds that each part took the last time.
"""

import json

import pytest

# Chapters and pages: each takes seconds, and they share nothing but the browser.
SPREAD = ("tests/book/test_notebooks.py", "tests/site/test_browser.py")
# Of a part that was never timed: it may be long, so it begins early.
UNKNOWN = 10.0


def part(nodeid: str) -> str:
    """Return what a test is taken with: its file, or itself alone."""
    file = nodeid.split("::")[0]
    return nodeid if file in SPREAD else file


def in_turn(nodeids: list[str], seconds: dict[str, float] | None = None) -> list[int]:
    """Return places in a list of tests: those of the longest parts first.

    Args:
        nodeids: of the tests.
        seconds: that parts take; without them, those that were recorded.
    """
    if seconds is None:
        seconds = chapters_seconds() | recorded_seconds()
    known = {name: seconds.get(name, UNKNOWN) for name in map(part, nodeids)}
    # sorting is stable: parts that take equally long keep their order, and stay whole
    return sorted(range(len(nodeids)), key=lambda at: -known[part(nodeids[at])])


def timed(reports) -> dict[str, float]:
    """Add up how long parts took; of one that was skipped in part nothing is known."""
    took, skipped = {}, set()
    for report in reports:
        name = part(report.nodeid)
        took[name] = round(took.get(name, 0.0) + report.duration, 2)
        if report.outcome == "skipped" and name == report.nodeid:
            skipped.add(name)
    return {name: each for name, each in took.items() if name not in skipped}


def _path():
    from tools import make  # not above: the package, before shapes are checked

    return make.BUILD / "test-seconds.json"


def recorded_seconds() -> dict[str, float]:
    """Return how long each part took the last time."""
    try:
        return json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the first time, or an interrupted one
        return {}


def chapters_seconds() -> dict[str, float]:
    """Return how long each chapter took when the build executed it."""
    from recorded import seconds

    test = "test_a_chapter_runs_as_a_notebook_and_gives_the_same_numbers"
    return {f"{SPREAD[0]}::{test}[{page}]": took for page, took in seconds().items()}


@pytest.hookimpl(optionalhook=True)  # there may be no xdist
def pytest_xdist_make_scheduler(config, log):
    """Hand out parts in the order of the list, to whoever is free."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Parts(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return part(nodeid)

    return Parts(config, log)


def pytest_sessionfinish(session):
    """Keep how long each part took, for the next time."""
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        return
    reports = [
        report
        for group in reporter.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport)
    ]
    if reports and _path().parent.is_dir():
        kept = recorded_seconds() | timed(reports)
        from tools.book.freshness import write_mark

        write_mark(_path(), json.dumps(kept, indent=1, sort_keys=True))
