"""Figures speak the page's colours and words, and draw what they are told."""

import base64
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from shell import kernel

from jensengap import plot
from jensengap.markup import svg

SVG = "{http://www.w3.org/2000/svg}"


def test_figure_returns_one_axes_or_an_array_of_them():
    _, ax = plot.figure()
    assert not isinstance(ax, np.ndarray)
    fig, axes = plot.figure(5.0, 4.0, rows=2, columns=3, sharex=True)
    assert axes.shape == (2, 3)
    assert tuple(fig.get_size_inches()) == (5, 4)


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_words_is_refused(drawing, alt):
    for draw in (svg.inline, lambda fig, alt: plot.show(fig, alt=alt)):
        with pytest.raises(ValueError, match="alt must say what the figure shows"):
            draw(drawing, alt)


def test_show_hands_over_markup_a_picture_and_the_words(drawing, tmp_path):
    with kernel(tmp_path) as cell:
        plot.show(drawing, alt="a curve", caption="look & see")
    (shown,) = cell.outputs
    assert shown.data["text/plain"] == "a curve"
    assert base64.b64decode(shown.data["image/png"]).startswith(b"\x89PNG")
    root = ElementTree.fromstring(shown.data["text/html"])
    assert root.get("class") == "jg-figure"
    assert [child.tag for child in root] == [f"{SVG}svg", "p"]
    assert root[1].get("class") == "jg-caption"
    assert root[1].text == "look & see"


def test_show_says_the_words_where_there_is_no_page(drawing, capsys):
    plot.show(drawing, alt="a curve")
    assert capsys.readouterr().out == "a curve\n"


def test_a_colour_map_runs_from_nothing_to_its_colour():
    colours = plot.colour_map(plot.PRIOR)
    red, green, blue = (int(plot.PRIOR[i : i + 2], 16) / 255 for i in (1, 3, 5))
    np.testing.assert_allclose(colours(0.0), (red, green, blue, 0), atol=1e-12)
    np.testing.assert_allclose(colours(1.0), (red, green, blue, 1), atol=1e-12)


def test_digits_stand_in_rows_with_a_gap_between():
    images = torch.arange(3.0)[:, None].expand(3, 4) / 2
    _, ax = plot.figure()
    sheet = plot.digits(ax, images, columns=2, gap=1).images[0].get_array()
    wanted = np.zeros((5, 5))
    wanted[0:2, 3:5], wanted[3:5, 0:2] = 0.5, 1.0
    np.testing.assert_array_equal(sheet, wanted)
    assert not ax.axison


@pytest.mark.parametrize(
    ("shape", "columns", "words"),
    [
        ((2, 5), 2, "square, got 5"),
        ((0, 4), 2, r"\(n, d\), each size at least 1, got \(0, 4\)"),
        ((2, 4), 0, "0 columns"),
    ],
)
def test_digits_that_cannot_be_laid_out_are_refused(shape, columns, words):
    _, ax = plot.figure()
    with pytest.raises(ValueError, match=words):
        plot.digits(ax, torch.zeros(shape), columns)


def test_one_image_without_its_axis_is_refused():
    with pytest.raises(ValueError, match=r"images must .*x\[None\]"):
        plot.digits(plot.figure()[1], torch.zeros(784), 1)


@pytest.mark.parametrize(
    "entries", [(4.0, 0.0, 1.0), (1.0, 0.9, 2.0), (1.0, -0.5, 1.0)]
)
def test_the_ellipse_is_two_standard_deviations_away_everywhere(entries):
    a, b, c = entries
    loc, cov = torch.tensor([1.0, -2.0]), torch.tensor([[a, b], [b, c]])
    _, ax = plot.figure()
    (ellipse,) = plot.gaussian_ellipse(ax, loc, cov, plot.GAP, linestyle="--").patches
    unit = ellipse.get_path().vertices
    offset = ellipse.get_patch_transform().transform(unit) - loc.numpy()
    distance = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(cov.numpy()), offset)
    on_curve = np.isclose((unit**2).sum(1), 1)
    assert on_curve.sum() >= 8
    np.testing.assert_allclose(np.sqrt(distance[on_curve]), 2, atol=1e-5)


@pytest.mark.parametrize(
    "entries", [(0.0, 0.0, 1.0), (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)]
)
def test_what_is_no_covariance_is_refused_with_its_eigenvalues(entries):
    a, b, c = entries
    _, ax = plot.figure()
    with pytest.raises(ValueError, match=r"positive definite, got eigenvalues \["):
        plot.gaussian_ellipse(
            ax, torch.zeros(2), torch.tensor([[a, b], [b, c]]), plot.GAP
        )


def test_wiped_axes_keep_their_frame_and_begin_with_the_first_colour():
    _, ax = plot.figure()
    ax.set(xlim=(0, 5), ylim=(-1, 7), xlabel="z", yticks=[0, 7])
    for _ in range(3):
        plot.wipe(ax).plot([0, 1], [2, 3])
        ax.fill_between([0, 1], 2)
        ax.imshow(np.ones((2, 2)), extent=(0, 5, -1, 7))
        ax.bar(0, 1)
        plot.note(ax, 1.0, 2.0, "here")
        assert len(ax.get_children()) == len(plot.figure()[1].get_children()) + 5
        assert ax.lines[0].get_color() == plot.RECONSTRUCTION
    plot.wipe(ax)
    assert not [*ax.lines, *ax.patches, *ax.collections, *ax.images, *ax.texts]
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_xlabel()) == ((0, 5), (-1, 7), "z")
    assert ax.get_yticks().tolist() == [0, 7]


def test_the_three_bars_end_where_the_evidence_is():
    _, ax = plot.figure()
    bars = plot.three_bars(ax, -2.0, 0.5, 0.25).patches
    spans = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in bars]
    assert spans == [(0.0, -2.0), (-2.0, -2.5), (-2.5, -2.25)]
    assert list(ax.lines[0].get_ydata()) == [-2.25, -2.25]
    colours = [plot.to_rgb(bar.get_facecolor()) for bar in bars]
    named = (plot.RECONSTRUCTION, plot.PRIOR, plot.GAP)
    assert colours == [plot.to_rgb(colour) for colour in named]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["−2.00", "−0.50", "+0.25", "log p(x)"]


def test_a_note_stands_where_it_is_put_in_its_own_colour():
    _, ax = plot.figure()
    (text,) = plot.note(ax, 0.5, 2.0, "the gap", plot.GAP, ha="right").texts
    assert (text.get_position(), text.get_text()) == ((0.5, 2), "the gap")
    assert (text.get_color(), text.get_ha()) == (plot.GAP, "right")
