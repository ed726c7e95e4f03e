"""Every frame that a slider can choose is the frame as it would be drawn directly."""

import base64
import itertools
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from IPython.core.getipython import get_ipython
from shell import kernel

from jensengap import figures, plot
from jensengap.markup import svg

SLIDERS = {"mean <μ>": [-1.0, 0.0, 0.5], "width": [0.5, 1.0]}
ALT = 'a point & a bar, "moved"'


@pytest.fixture
def scene():
    """A figure and its update: a curve, a marker, a bar and two labels that move."""
    fig, (left, right) = plot.figure(5.0, 2.5, columns=2)
    left.set(xlim=(-2, 2), ylim=(-1, 3))
    right.set(ylim=(-3, 3))

    def update(mean, width):
        plot.wipe(left).plot([-1, mean, 1], [0, width, 2])
        left.plot([mean], [width], "o")
        plot.note(left, mean, 2.5, f"at {mean:.1f} </b>")
        plot.three_bars(plot.wipe(right), -1.0 - width, width, abs(mean))

    return fig, update


@pytest.fixture
def shown(scene, tmp_path):
    fig, update = scene
    with kernel(tmp_path) as cell:
        figures.moving(fig, update, SLIDERS, alt=ALT, caption="look & see")
    (output,) = cell.outputs
    return output.data


def table(markup):
    text = re.search(r"labels} = (\{.*\});", markup)[1].replace("<\\/", "</")
    return json.loads(text)


def drawn(markup):
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", markup, re.DOTALL)[0])


def flat(root):
    """Every element below the root as (tag, attributes, text)."""
    return [(n.tag, dict(n.attrib), n.text or "") for n in list(root.iter())[1:]]


def applied(root, data, frame):
    """Write one row of the table into the drawing, as the script does."""
    nodes = list(root.iter())[1:]
    for (node, name), place in zip(data["slots"], data["frames"][frame], strict=True):
        if name:
            nodes[node].set(name, data["strings"][place])
        else:
            assert len(nodes[node]) == 0  # textContent would delete its children
            nodes[node].text = data["strings"][place]
    return root


def test_every_frame_of_the_table_is_the_frame_drawn_directly(shown, scene):
    fig, update = scene
    markup = shown["text/html"]
    data = table(markup)
    prefix = re.search(r' id="([^"]+)"', markup)[1]
    frames = list(itertools.product(*SLIDERS.values()))
    assert len(data["frames"]) == len(frames) == 6
    for number, values in enumerate(frames):
        update(*values)
        wanted = flat(ElementTree.fromstring(svg.inline(fig, ALT, prefix)))
        assert flat(applied(drawn(markup), data, number)) == wanted


def test_the_frames_differ_and_the_table_holds_nothing_that_does_not(shown):
    data = table(shown["text/html"])
    assert len({tuple(row) for row in data["frames"]}) == 6
    for column in zip(*data["frames"], strict=True):
        assert len(set(column)) > 1
    assert len(set(data["strings"])) == len(data["strings"])


def test_without_scripts_the_middle_frame_stands(shown, scene):
    fig, update = scene
    markup = shown["text/html"]
    update(0.0, 1.0)
    prefix = re.search(r' id="([^"]+)"', markup)[1]
    wanted = ElementTree.fromstring(svg.inline(fig, ALT, prefix))
    assert flat(drawn(markup)) == flat(wanted)
    assert drawn(markup).attrib == wanted.attrib
    assert "<noscript>" in markup
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert shown["text/plain"] == ALT


class Reader(HTMLParser):
    """Note every element and its text, as a browser reads them."""

    def __init__(self, markup):
        super().__init__()
        self.seen, self.text = [], {}
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag = self.seen[-1][0] if self.seen else ""
        self.text.setdefault(tag, []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def test_each_slider_is_native_named_and_starts_in_the_middle(shown):
    page = Reader(shown["text/html"])
    wanted = {"type": "range", "min": "0", "step": "1"}
    assert page.all("input") == [
        wanted | {"max": "2", "value": "1"},
        wanted | {"max": "1", "value": "1"},
    ]
    assert page.text["output"] == ["0.00", "1.00"]
    names = [text for text in page.text["span"] if text.strip()]
    assert names == list(SLIDERS)
    labels = table(shown["text/html"])["labels"]
    assert labels == [["−1.00", "0.00", "0.50"], ["0.50", "1.00"]]
    assert page.all("div")[0]["class"] == "jg-figure jg-moving"
    assert page.text["p"][0] == "look & see"


def test_a_button_plays_and_is_hidden_where_no_script_can(shown):
    (button,) = Reader(shown["text/html"]).all("button")
    assert button["type"] == "button"
    assert button["aria-description"] == "moves mean <μ> to its end"
    assert "hidden" in button


def test_values_are_not_spoken_twice(shown):
    for output in Reader(shown["text/html"]).all("output"):
        assert output["aria-live"] == "off"


def test_in_a_live_kernel_a_frame_is_drawn_when_it_is_asked_for(
    scene, tmp_path, monkeypatch
):
    fig, update = scene
    monkeypatch.delenv("JENSENGAP_STATIC", raising=False)
    drawn, panels, panel = [], [], figures.widgets.panel
    monkeypatch.setattr(
        figures.widgets, "panel", lambda *given: panels.append(panel(*given))
    )

    def watched(*values):
        drawn.append(values)
        update(*values)

    with kernel(tmp_path):
        get_ipython().kernel = object()
        figures.moving(fig, watched, SLIDERS, alt=ALT, caption="look & see")
        ((picture, controls, caption),) = (found.children for found in panels)
        assert drawn == [(0.0, 1.0)] * 2  # the layout, and the first picture
        controls.children[0].value = 2
        assert drawn[2:] == [(0.5, 1.0)]
    assert [slider.description for slider in controls.children] == list(SLIDERS)
    assert controls.children[0].label == "0.50"
    update(0.5, 1.0)
    assert svg.inline(fig, ALT) in picture.value
    assert "look &amp; see" in caption.value


def test_the_script_is_one_and_nothing_in_it_ends_it_early(shown):
    markup = shown["text/html"]
    assert markup.count("<script>") == markup.count("</script>") == 1
    script = re.search(r"<script>(.*)</script>", markup, re.DOTALL)[1]
    assert "</" not in script
    assert "http" not in script


def test_one_figure_gives_the_same_markup_each_time(scene, shown, tmp_path):
    fig, update = scene
    with kernel(tmp_path) as cell:
        figures.moving(fig, update, SLIDERS, alt=ALT, caption="look & see")
    assert cell.outputs[0].data["text/html"] == shown["text/html"]


def test_curves_without_a_colour_of_their_own_keep_it_from_frame_to_frame(shown):
    data = table(shown["text/html"])
    assert not [text for text in data["strings"] if "stroke: var(" in text]


def test_moving_says_the_words_where_there_is_no_page(scene, capsys):
    figures.moving(*scene, SLIDERS, alt=ALT)
    assert capsys.readouterr().out == ALT + "\n"


def test_the_values_beside_a_slider_take_the_wanted_format(scene, tmp_path):
    with kernel(tmp_path) as cell:
        figures.moving(*scene, SLIDERS, alt=ALT, spec="+.1f")
    assert Reader(cell.outputs[0].data["text/html"]).text["output"] == ["+0.0", "+1.0"]


@pytest.mark.parametrize(
    "sliders", [{}, {"a": []}, {"a": [1.0]}, {"a": [1.0, 2.0], "b": [3.0]}]
)
def test_a_slider_that_cannot_move_is_refused(scene, sliders):
    with pytest.raises(ValueError, match="at least one list of two or more values"):
        figures.moving(*scene, sliders, alt=ALT)


def test_a_moving_figure_without_words_is_refused(scene):
    with pytest.raises(ValueError, match="alt must say"):
        figures.moving(*scene, SLIDERS, alt=" ")


def test_a_frame_with_another_artist_is_refused():
    fig, ax = plot.figure()

    def update(value):
        plot.wipe(ax)
        for i in range(int(value)):
            ax.plot([0, 1], [i, 1])

    with pytest.raises(ValueError, match=r"same elements.*not add, remove or hide"):
        figures.moving(fig, update, {"curves": [1.0, 2.0]}, alt=ALT)


def test_a_frame_whose_elements_change_their_kind_is_refused():
    texts = ("<svg><g/><path/></svg>", "<svg><path/><g/></svg>")
    with pytest.raises(ValueError, match="same elements in the same order"):
        figures._table([figures._parts(text) for text in texts])
