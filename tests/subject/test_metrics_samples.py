"""A mode is covered by many samples of its own, not by a stray one."""

import math

import pytest
import torch

from jensengap import metrics

CENTERS = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def test_a_sample_counts_for_its_nearest_mode_and_for_no_other():
    samples = torch.tensor([[0.1, 0.0], [1.9, 0.0], [2.1, 0.0], [0.0, 3.9]])
    # a radius so wide that every sample is within it of several centres
    assert metrics.mode_counts(samples, CENTERS, 3.0).tolist() == [2, 1, 1]


def test_a_sample_far_from_every_mode_counts_for_none():
    samples = torch.tensor([[0.5, 0.0], [0.6, 0.0], [9.0, 9.0]])
    assert metrics.mode_counts(samples, CENTERS, 0.5).tolist() == [1, 0, 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_sample_at_the_radius_itself_counts(dtype):
    centers = torch.tensor([[0.1, 0.0], [9.0, 9.0]], dtype=dtype)
    samples = torch.tensor([[0.4, 0.0], [0.1, -0.3], [0.401, 0.0]], dtype=dtype)
    assert metrics.mode_counts(samples, centers, 0.3).tolist() == [2, 0]


def test_a_stray_sample_covers_no_mode():
    near = CENTERS.repeat_interleave(torch.tensor([90, 9, 1]), 0)
    assert metrics.modes_covered(near, CENTERS, 0.1, 1).tolist() == [True] * 3
    assert metrics.modes_covered(near, CENTERS, 0.1, 9).tolist() == [True, True, False]
    covered = metrics.modes_covered(near, CENTERS, 0.1, 10)
    assert covered.tolist() == [True, False, False]


def test_draws_from_the_modes_cover_them_in_proportion():
    torch.manual_seed(0)
    num = 9000
    samples = CENTERS[torch.randint(3, (num,))] + 0.1 * torch.randn(num, 2)
    counts = metrics.mode_counts(samples, CENTERS, 0.2)
    # within two standard deviations of the centre lie 1 - exp(-2) in the plane
    p = (1 - math.exp(-2)) / 3
    stderr = math.sqrt(num * p * (1 - p))
    assert ((counts - num * p).abs() < 4 * stderr).all()


def test_counts_do_not_depend_on_where_the_origin_is():
    torch.manual_seed(0)
    near = CENTERS.repeat(30, 1) + 0.1 * torch.randn(90, 2).clamp(-1, 1)
    counts = metrics.mode_counts(near, CENTERS, 0.15)
    away = torch.tensor([1024.0, 1024.0])  # exact in binary, so nothing else rounds
    moved = metrics.mode_counts(near + away, CENTERS + away, 0.15)
    assert (moved - counts).abs().max() <= 1


def test_the_dimension_is_free():
    centers = torch.eye(5, dtype=torch.float64)
    samples = centers[:3].repeat(2, 1) + 0.01
    covered = metrics.modes_covered(samples, centers, 0.1, 2)
    assert covered.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("radius", [0.0, -1.0, math.inf, math.nan])
def test_a_radius_is_positive_and_finite(radius):
    said = f"got 3, 3 and {radius}$"
    if math.isnan(radius):
        said = "^radius must be a number, got NaN"
    with pytest.raises(ValueError, match=said):
        metrics.mode_counts(CENTERS, CENTERS, radius)


def test_nothing_is_not_counted():
    with pytest.raises(ValueError, match=r"^samples must have .* got \(0, 2\)$"):
        metrics.mode_counts(torch.zeros(0, 2), CENTERS, 1.0)
    with pytest.raises(ValueError, match=r"^centers must have .* got \(0, 2\)$"):
        metrics.mode_counts(CENTERS, torch.zeros(0, 2), 1.0)


@pytest.mark.parametrize("min_count", [0, -1, 4])
def test_a_count_that_nothing_or_everything_reaches_is_refused(min_count):
    with pytest.raises(ValueError, match=f"samples, 3, got {min_count}\\.0;"):
        metrics.modes_covered(CENTERS, CENTERS, 1.0, min_count)


def by_hand(x, y, k):
    """Share of the y within reach of an x, reach being that to its k-th neighbour."""
    inside = 0
    for point in y:
        for i, centre in enumerate(x):
            others = [(centre - o).norm() for j, o in enumerate(x) if j != i]
            if (point - centre).norm() <= sorted(others)[k - 1]:
                inside += 1
                break
    return inside / len(y)


@pytest.mark.parametrize(("k", "chunk"), [(1, 1), (2, 7), (3, 1000)])
def test_precision_and_recall_are_those_of_the_definition(k, chunk):
    torch.manual_seed(0)
    x, y = torch.randn(40, 3), 0.7 * torch.randn(25, 3) + 0.5
    # of each set some are far from all of the other
    x[20:] -= 20
    y[20:] += 20
    got = metrics.precision_recall(x, y, k, chunk=chunk)
    assert got.precision.item() == pytest.approx(by_hand(x, y, k))
    assert got.recall.item() == pytest.approx(by_hand(y, x, k))
    assert 0 < got.recall <= 20 / 40
    assert 0 < got.precision <= 20 / 25


def test_a_set_covers_itself_and_nothing_far_away():
    torch.manual_seed(0)
    x = torch.randn(30, 2)
    assert metrics.precision_recall(x, x) == (1, 1)
    assert metrics.precision_recall(x, x + 100) == (0, 0)


def test_swapping_the_sets_swaps_precision_and_recall():
    torch.manual_seed(0)
    x, y = torch.randn(30, 2), 0.3 * torch.randn(50, 2)
    assert metrics.precision_recall(x, y)[::-1] == metrics.precision_recall(y, x)


def test_a_generator_of_one_mode_of_two_is_precise_and_has_half_the_recall():
    torch.manual_seed(0)
    x = torch.randn(200, 2) + 50 * (torch.arange(200) % 2)[:, None]
    got = metrics.precision_recall(x, torch.randn(200, 2), 5)
    assert got.precision > 0.9
    assert 0.4 < got.recall <= 0.5


@pytest.mark.parametrize(("k", "chunk"), [(0, 5), (3, 5), (1, 0)])
def test_neighbours_must_exist(k, chunk):
    with pytest.raises(ValueError, match=f"got {k} for 9 and 3 points and chunk="):
        metrics.precision_recall(torch.zeros(9, 1), torch.zeros(3, 1), k, chunk=chunk)


def test_an_edge_of_m_equal_steps_has_the_steepness_one_over_m():
    for steps in (1, 2, 4):
        ramp = (torch.arange(8.0) / steps).clamp(max=1).expand(8, 8)
        got = metrics.edge_steepness(ramp.reshape(1, 64))
        torch.testing.assert_close(got, torch.tensor([1 / steps]))


def test_steepness_is_one_for_binary_images_and_ignores_turning_and_the_ground():
    torch.manual_seed(0)
    x = torch.rand(5, 64)
    torch.testing.assert_close(metrics.edge_steepness(x.round()), torch.ones(5))
    turned = x.reshape(5, 8, 8).mT.flatten(1)
    for same in (turned, 1 - x):
        torch.testing.assert_close(
            metrics.edge_steepness(same), metrics.edge_steepness(x)
        )
    torch.testing.assert_close(
        metrics.edge_steepness(x / 2), metrics.edge_steepness(x) / 2
    )


def test_steepness_needs_square_images_with_an_edge():
    with pytest.raises(ValueError, match=r"must be square rows .* got \(1, 7\)"):
        metrics.edge_steepness(torch.rand(1, 7))
    with pytest.raises(ValueError, match="needs an edge"):
        metrics.edge_steepness(torch.ones(1, 9))


def test_all_samples_may_be_asked_for_and_a_place_on_the_edge_counts():
    samples = torch.zeros(5, 2)
    assert metrics.modes_covered(samples, torch.zeros(1, 2), 1.0, 5).tolist() == [True]
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [10.0]])
    # the ball around 1 reaches to 0 and so to 2
    assert metrics.precision_recall(real, fake, 1).precision == 0.5


def test_three_neighbours_are_asked_unless_told():
    torch.manual_seed(0)
    real, fake = torch.randn(60, 2), torch.randn(60, 2) + 1.5
    wanted = [metrics.precision_recall(real, fake, k) for k in (3, 4)]
    assert metrics.precision_recall(real, fake) == wanted[0] != wanted[1]


def test_a_faint_edge_is_an_edge_and_none_is_refused_in_a_sentence():
    faint = torch.zeros(1, 4)
    faint[0, 0] = 0.1  # its two steps are .1 high
    assert metrics.edge_steepness(faint).item() == pytest.approx(0.1)
    with pytest.raises(ValueError, match=r"^every image needs an edge, .* all over$"):
        metrics.edge_steepness(torch.zeros(1, 4))


def picture(*lead):
    """A ramp of four steps: every edge that rises is a quarter high."""
    return (torch.arange(16.0) / 4).clamp(max=1).expand(*lead, 16, 16).contiguous()


def test_images_with_axes_are_measured_as_their_rows_are():
    torch.manual_seed(0)
    x = torch.rand(5, 16, 16)
    rows = metrics.edge_steepness(x.flatten(1))
    torch.testing.assert_close(metrics.edge_steepness(x), rows, rtol=0, atol=0)
    one_channel = metrics.edge_steepness(x[:, None])
    torch.testing.assert_close(one_channel, rows, rtol=0, atol=0)
    assert metrics.edge_steepness(picture(3)).tolist() == [0.25] * 3
    # side by side and not one below the other: channels have no edge between them
    channels = torch.cat([picture(2, 3), 1 - picture(2, 1)], 1)
    torch.testing.assert_close(metrics.edge_steepness(channels), torch.full((2,), 0.25))


def test_oblong_images_have_their_own_edges():
    x = torch.zeros(1, 2, 5)
    x[0, :, 2:] = 1
    assert metrics.edge_steepness(x).tolist() == [1.0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.bool])
def test_whole_numbers_have_no_steepness_as_their_differences_wrap(dtype):
    with pytest.raises(
        ValueError, match=r"^images must hold floating-point .*float\(\)"
    ):
        metrics.edge_steepness(picture(2).to(dtype))


@pytest.mark.parametrize(
    ("shape", "got"),
    [
        ((16,), r"\(16,\)"),
        ((2, 15), r"\(2, 15\)"),
        ((1, 1, 1, 4, 4), r"\(1, 1, 1, 4, 4\)"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_shape(shape, got):
    with pytest.raises(ValueError, match=rf"^images must be .* got {got}"):
        metrics.edge_steepness(torch.rand(shape))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_has_no_edge(bad):
    x = picture(2)
    x[1, 3, 3] = bad
    with pytest.raises(
        ValueError, match=f"^images must be finite, got {bad}: 1 of 512"
    ):
        metrics.edge_steepness(x)


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e20, 1e30])
def test_steepness_is_proportional_to_the_ink_at_any_size(size):
    found = metrics.edge_steepness(size * picture(1)).item()
    assert found == pytest.approx(size / 4, rel=1e-6)


def test_images_that_keep_their_axes_have_no_precision():
    with pytest.raises(ValueError, match=r"^real must have .* x\.flatten\(1\) joins"):
        metrics.precision_recall(torch.rand(28, 28, 28), torch.rand(28, 28, 28))
    with pytest.raises(
        ValueError, match=r"^fake must have .* with d = 4.* got \(9, 5\)"
    ):
        metrics.precision_recall(torch.rand(9, 4), torch.rand(9, 5))
    with pytest.raises(ValueError, match=r"^fake must have the shape"):
        metrics.precision_recall(torch.rand(9, 4), torch.rand(4))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_point_that_is_nowhere_is_in_no_ball_and_is_refused(bad):
    good, wrong = torch.rand(9, 2), torch.rand(9, 2)
    wrong[4, 1] = bad
    for real, fake in ((good, wrong), (wrong, good)):
        with pytest.raises(ValueError, match=f"must be finite, got {bad}"):
            metrics.precision_recall(real, fake)
    with pytest.raises(ValueError, match=f"must be finite, got {bad}"):
        metrics.mode_counts(wrong, CENTERS, 1.0)


def test_precision_does_not_depend_on_where_the_origin_is():
    torch.manual_seed(0)
    real, fake = torch.randn(2, 50, 3, dtype=torch.float64)
    fake = fake + 1.5  # so that some are in the balls, and some are not
    near = metrics.precision_recall(real, fake)
    # of 53 binary places the points are left with 23
    far = metrics.precision_recall(real + 2.0**30, fake + 2.0**30)
    assert 0 < near.precision < 1
    assert abs(far.precision - near.precision) <= 1 / 50
    assert abs(far.recall - near.recall) <= 1 / 50


@pytest.mark.parametrize("bad", [2.5, True, "3", None])
def test_counts_are_whole(bad):
    with pytest.raises(ValueError, match=r"^num_neighbours must be a whole number"):
        metrics.precision_recall(torch.rand(9, 1), torch.rand(9, 1), bad)
