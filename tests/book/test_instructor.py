"""The instructor's page: what it says to run runs, and what it promises holds."""

import re
from urllib.parse import parse_qs, urlsplit

from questions import AREA
from reading import text

from jensengap import exercises
from jensengap.exercises import chapters, sheet

PAGE = text("appendix/instructor")


def blocks(language):
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)


def test_its_lines_write_a_link_that_says_what_it_should(capsys):
    exec(blocks("python")[0], {})
    link = urlsplit(capsys.readouterr().out.strip())
    assert link.path == "/hub/user-redirect/git-pull"
    assert parse_qs(link.query) == {
        "repo": ["https://github.com/OWNER/HANDOUT"],
        "branch": ["main"],
        "urlpath": ["lab/tree/HANDOUT/likelihood/elbo.ipynb"],
    }


def test_answers_are_saved_and_collected_by_the_commands_it_names(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chapters, "every", lambda: {AREA.label: AREA})
    monkeypatch.setattr(sheet, "_answers", {})
    exercises.mark(AREA.label, 6.0)
    exec(blocks("python")[1], {"exercises": exercises})
    assert "python -m jensengap.exercises.sheet" in blocks("text")[0]
    assert sheet.main(["answers.json"]) == 0
    assert capsys.readouterr().out.count("1 of 1 answers are right") == 2
