"""A drawing takes colours and type from its page, and keeps its ids to itself."""

import base64
import math
import re
from xml.etree import ElementTree

from jensengap import plot
from jensengap.markup import svg

SVG = "{http://www.w3.org/2000/svg}"


def parse(markup):
    return ElementTree.fromstring(markup)


def test_a_drawing_takes_its_colours_from_the_page_and_has_a_fallback(drawing):
    markup = svg.inline(drawing, "a curve")
    assert f"stroke: var(--jg-gap, {plot.GAP})" in markup
    bare = re.sub(r"var\(--jg-[a-z]+, #[0-9a-f]{6}\)", "", markup)
    assert not re.search(r"(stroke|fill): #", bare)


def test_every_colour_of_the_book_becomes_its_own_property():
    named = {
        "INK": "ink",
        "MUTED": "muted",
        "LINE": "line",
        "PAPER": "paper",
        "GAP": "gap",
        "RECONSTRUCTION": "reconstruction",
        "PRIOR": "prior",
        "ACCENT": "accent",
    }
    for constant, name in named.items():
        fig, ax = plot.figure()
        ax.axhline(0, color=getattr(svg, constant), linewidth=3.21)
        style = re.search(
            r'style="([^"]*stroke-width: 3.21[^"]*)"', svg.inline(fig, "a")
        )
        assert f"stroke: var(--jg-{name}, " in style[1]


def test_labels_stay_text_and_keep_their_decimals(drawing):
    root = parse(svg.inline(drawing, "a curve"))
    texts = [node.text for node in root.iter(f"{SVG}text")]
    assert "z of 0.123456" in texts
    assert "<gap> & co" in texts
    for node in root.iter(f"{SVG}path"):
        assert not re.search(r"\d\.\d{3}", node.get("d"))


def test_the_page_supplies_the_font_and_no_style_leaks_out(drawing):
    markup = svg.inline(drawing, "a curve")
    assert "<style" not in markup
    assert markup.count("font-family") == 1
    assert "xlink" not in markup


def test_a_drawing_is_an_image_with_the_words_that_describe_it(drawing):
    root = parse(svg.inline(drawing, 'the "gap" <closes>'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'the "gap" <closes>'
    assert [float(n) for n in root.get("viewBox").split()] == [0, 0, 288, 144]


def test_every_reference_finds_its_own_id_and_ids_do_not_clash(drawing):
    first = svg.inline(drawing, "a")
    other, ax = plot.figure()
    ax.plot([0, 1], [1, 0], "o")
    for markup in (first, svg.inline(drawing, "a", "mine")):
        ids = re.findall(r' id="([^"]+)"', markup)
        assert ids
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', markup)) == set(ids)
    assert all(i.startswith("mine-") for i in ids)
    assert not set(re.findall(r' id="([^"]+)"', svg.inline(other, "a"))) & set(
        re.findall(r' id="([^"]+)"', first)
    )


def test_one_figure_is_drawn_the_same_each_time(drawing):
    assert svg.inline(drawing, "a") == svg.inline(drawing, "a")


def test_axes_that_move_by_a_last_bit_are_drawn_the_same(drawing):
    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    (ax,) = drawing.axes
    first, (left, *rest) = svg.inline(drawing, "a"), ax.get_position().bounds
    ax.set_position((math.nextafter(left, 1), *rest))
    assert svg.inline(drawing, "a") == first


def test_no_caption_leaves_no_paragraph():
    assert svg.caption("") == ""


def test_a_caption_is_a_paragraph_of_plain_words():
    assert svg.caption("<b> & co") == ('<p class="jg-caption">&lt;b&gt; &amp; co</p>')


def test_the_picture_for_plain_notebooks_is_a_png_on_white(drawing):
    picture = base64.b64decode(svg.png(drawing))
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == 4 * 144
