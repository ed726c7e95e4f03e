"""The still picture of a match says what it shows by words and marks, not by colour."""

import pytest
import torch

from jensengap import nets, ring
from jensengap.live import ring_game
from jensengap.markup import svg

WORDS = "a ring and a generator"


@pytest.fixture
def played():
    torch.manual_seed(0)
    game = ring.Match(nets.mlp(2, 16, 1), nets.mlp(2, 16, 2), ring.RULES)
    game.play(20)
    return game


def test_the_picture_counts_steps_and_modes(played):
    drawing = svg.inline(ring_game.scene(played, 3.2), WORDS)
    assert ">step 20<" in drawing
    assert f">{played.num_covered()} of 8 modes covered<" in drawing


def test_every_colour_has_its_words_and_points_have_marks(played):
    fig = ring_game.scene(played, 3.2)
    (ax,) = fig.axes
    said = " ".join(text.get_text() for text in ax.texts)
    for words in ("· real", "× generated", "D says real", "D says made", "D = ½"):
        assert words in said
    real, made = ax.lines
    assert (real.get_marker(), made.get_marker()) == (".", "x")
    assert torch.equal(torch.tensor(made.get_xydata()).float(), played.made())


def test_the_heat_map_has_its_top_row_on_top(played):
    (ax,) = ring_game.scene(played, 3.2).axes
    (image,) = ax.images
    assert image.origin == "upper"
    assert image.get_extent() == [-3.2, 3.2, -3.2, 3.2]


def test_the_border_is_where_d_is_one_half(played):
    (ax,) = ring_game.scene(played, 3.2).axes
    border = [c for c in ax.collections if len(c.get_paths())]
    points = torch.tensor(border[0].get_paths()[0].vertices).float()
    with torch.no_grad():
        belief = played.discriminator(points).sigmoid()
    assert float((belief - 0.5).abs().max()) < 0.01


def test_a_discriminator_that_is_sure_everywhere_has_no_border(played):
    with torch.no_grad():
        played.discriminator[-1].bias += 50
    (ax,) = ring_game.scene(played, 3.2).axes
    assert not ax.collections


def test_one_match_makes_the_same_picture_each_time(played):
    drawings = [svg.inline(ring_game.scene(played, 3.2), WORDS) for _ in range(2)]
    assert drawings[0] == drawings[1]
