"""A live figure's markup: a still picture, data, scripts, nothing from afar."""

import json
import re

import pytest
from shell import kernel

from jensengap.markup import scripted, svg

SCRIPTS = (
    "answer",
    "kept",
    "reading",
    "numbers",
    "network",
    "stage",
    "decoder",
    "game",
    "arena",
)
ALT = 'a "plane" & a point'


@pytest.fixture
def still(drawing):
    return drawing


def make(fig, **data):
    inside = "<canvas></canvas>"
    return scripted.markup("decoder", ["decoder"], data, inside, fig, ALT, "look & see")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_plain_and_ends_no_element(name):
    script = scripted.script(name)
    assert "</" not in script
    assert not re.search(r"^\s*//|^\s", script, re.MULTILINE)
    assert not re.search(r"\b(import|require|fetch|XMLHttpRequest|eval)\b", script)
    assert "http" not in script
    assert script.startswith("(jg => {")
    # what runs twice in a page must do nothing the second time
    assert f"if (jg.{name}) return;" in script


def test_no_script_is_left_out_of_the_package():
    names = {
        path.name for path in scripted._FOLDER.iterdir() if path.name[-3:] == ".js"
    }
    assert names == {f"{name}.js" for name in SCRIPTS}


def test_an_unknown_script_is_an_error():
    with pytest.raises(FileNotFoundError):
        scripted.script("another")


def test_a_figure_holds_its_still_picture_its_words_and_its_data(still):
    markup = make(still, words="</script><b>", numbers=[1, 2])
    assert svg.inline(still, ALT) in markup
    assert markup.count('class="jg-figure jg-live jg-decoder"') == 1
    assert '<p class="jg-caption">look &amp; see</p>' in markup
    assert "<noscript>" in markup
    text = re.search(r'"application/json">(.*?)</script>', markup, re.DOTALL)[1]
    assert json.loads(text) == {"words": "</script><b>", "numbers": [1, 2]}


def test_the_stage_is_hidden_until_a_script_opens_it(still):
    stage_tag = re.search(r'<div class="jg-stage"[^>]*>', make(still))[0]
    assert stage_tag.endswith(" hidden>")
    assert 'aria-label="a &quot;plane&quot; &amp; a point"' in stage_tag


def test_a_figure_is_the_same_each_time_and_another_one_has_another_id(still):
    ids = [re.search(r' id="(d\w+)"', make(still, x=x))[1] for x in (1, 1, 2)]
    assert make(still, x=1) == make(still, x=1)
    assert ids[0] == ids[1] != ids[2]


def test_a_figure_without_words_is_refused(still):
    with pytest.raises(ValueError, match="alt must say"):
        scripted.markup("decoder", ["decoder"], {}, "", still, " ")


def test_a_slider_is_native_and_named():
    assert scripted.slider("a < b", 0.5, -3.5, 3.5, 0.05) == (
        '<label><span>a &lt; b</span><input type="range" min="-3.5" max="3.5" '
        'value="0.5" step="0.05"><output aria-live="off"></output></label>'
    )


def test_what_is_shown_has_words_a_picture_and_markup(still, tmp_path):
    with kernel(tmp_path) as cell:
        scripted.show("<p>here</p>", still, ALT)
    (output,) = cell.outputs
    assert output.data["text/plain"] == ALT
    assert output.data["text/html"] == "<p>here</p>"
    assert set(output.data) == {"text/plain", "text/html", "image/png"}


def test_outside_a_kernel_the_words_are_said(still, capsys):
    scripted.show("<p>here</p>", still, ALT)
    assert capsys.readouterr().out == ALT + "\n"
