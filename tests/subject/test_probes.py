"""A probe finds what a line can find, and its controls find what chance gives."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from jensengap import probes

F64 = {"dtype": torch.float64}


def blobs(num, gap, seed=0):
    """Three classes in four dimensions, their centres ``gap`` apart from the origin."""
    torch.manual_seed(seed)
    labels = torch.arange(num) % 3
    return torch.randn(num, 4, **F64) + gap * torch.eye(3, 4, **F64)[labels], labels


def test_classes_that_lie_apart_are_told_apart_and_equal_ones_are_not():
    for gap, low, high in ((20.0, 0.999, 1.0), (0.0, 0.25, 0.42)):
        found = probes.evaluate(
            *blobs(600, gap), *blobs(600, gap, seed=1), num_classes=3
        )
        assert low <= found.accuracy.mean <= high


def test_the_probe_is_the_minimum_of_its_loss():
    codes, labels = blobs(200, 1.0)
    probe = probes.fit(codes, labels, num_classes=3, ridge=0.01)

    def loss(weight, bias):
        logits = (codes - probe.loc) / probe.scale @ weight.mT + bias
        return cross_entropy(logits, labels) + 0.005 * weight.square().sum()

    slopes = torch.autograd.functional.jacobian(loss, (probe.weight, probe.bias))
    assert max(slope.abs().max() for slope in slopes) < 1e-7


def test_a_rotation_of_the_codes_changes_no_answer():
    codes, labels = blobs(300, 1.0)
    turn = torch.linalg.qr(torch.randn(4, 4, **F64)).Q
    first = probes.fit(codes, labels, num_classes=3)
    second = probes.fit(codes @ turn.mT, labels, num_classes=3)
    new = blobs(100, 1.0, seed=1)[0]
    torch.testing.assert_close(
        second.logits(new @ turn.mT), first.logits(new), rtol=0, atol=1e-6
    )


def test_shift_and_scale_of_all_codes_change_no_answer():
    codes, labels = blobs(300, 1.0)
    first = probes.fit(codes, labels, num_classes=3)
    second = probes.fit(100 * codes + 7, labels, num_classes=3)
    torch.testing.assert_close(
        second.logits(100 * codes + 7), first.logits(codes), rtol=0, atol=1e-6
    )


def test_the_majority_is_the_share_of_the_class_most_frequent_in_training():
    labels = torch.tensor([0, 1, 1, 1, 2, 0])
    new_labels = torch.tensor([1, 0, 0, 0])
    codes, new_codes = torch.randn(6, 2), torch.randn(4, 2)
    found = probes.evaluate(codes, labels, new_codes, new_labels, num_classes=3)
    assert found.majority.mean == 0.25
    assert found.score == probes.normalised(found.accuracy.mean, 0.25)


def test_permuted_labels_teach_nothing():
    # classes that lie apart get one answer each, so one permutation says little
    guesses = []
    for seed in range(30):
        found = probes.evaluate(
            *blobs(150, 5.0, seed), *blobs(150, 5.0, seed + 100), num_classes=3
        )
        assert found.accuracy.mean > 0.9
        guesses.append(found.permuted.mean)
    assert abs(torch.stack(guesses).mean() - 1 / 3) < 0.12


def test_accuracy_counts_right_answers_and_knows_its_error():
    got = probes.accuracy(torch.tensor([1, 2, 0, 0]), torch.tensor([1, 2, 0, 1]))
    assert got.mean == 0.75
    assert got.stderr == pytest.approx(0.25)


def test_the_normalised_score_is_zero_at_the_majority_and_one_without_error():
    assert probes.normalised(0.3, 0.3) == 0
    assert probes.normalised(1.0, 0.3) == 1
    assert probes.normalised(0.65, 0.3).item() == pytest.approx(0.5)
    assert probes.normalised(0.1, 0.3) < 0
    for nothing in (1.0, -0.1, torch.tensor([0.2, torch.nan])):
        with pytest.raises(ValueError, match=r"majority must be in \[0, 1\), got \["):
            probes.normalised(0.5, nothing)
    for none in (float("nan"), torch.tensor(torch.nan)):
        with pytest.raises(ValueError, match="majority must be a number, got NaN"):
            probes.normalised(0.5, none)


@pytest.mark.parametrize(
    ("codes", "labels", "ridge", "message"),
    [
        (torch.zeros(1, 2), torch.zeros(1).long(), 1e-3, "got 1, 1 and 0.001"),
        (torch.randn(4, 2), torch.zeros(4).long(), 0.0, "got 4, 4 and 0.0"),
        (torch.randn(4, 2), torch.full((4,), 10), 1e-3, "0 to 9, got 10 to 10"),
        (torch.randn(4, 2), torch.full((4,), -1), 1e-3, "got -1"),
        (torch.ones(4, 2), torch.zeros(4).long(), 1e-3, "codes must differ"),
        (torch.eye(4), torch.full((4,), 7), 1e-3, "two or more classes, got 7 alone"),
    ],
)
def test_what_cannot_be_fitted_is_refused(codes, labels, ridge, message):
    with pytest.raises(ValueError, match=message):
        probes.fit(codes, labels, ridge=ridge)


@pytest.mark.parametrize("present", [(0, 2), (0, 1, 3)])
def test_a_class_without_codes_is_never_predicted_and_the_rest_is_the_minimum(present):
    codes, labels = blobs(200, 1.0)
    labels = torch.tensor(present)[labels % len(present)]
    probe = probes.fit(codes, labels, num_classes=4, ridge=0.01)
    rows = list(present)
    assert set(probe.predict(codes).tolist()) == set(present)
    assert (probe.bias == -torch.inf).sum() == 4 - len(present)

    def loss(weight, bias):
        logits = (codes - probe.loc) / probe.scale @ weight.mT + bias
        right = torch.tensor([rows.index(each) for each in labels.tolist()])
        return cross_entropy(logits, right) + 0.005 * weight.square().sum()

    at = probe.weight[rows], probe.bias[rows]
    slopes = torch.autograd.functional.jacobian(loss, at)
    assert max(slope.abs().max() for slope in slopes) < 1e-7


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_codes_that_are_not_finite_are_refused_by_all(bad):
    codes, labels = blobs(30, 1.0)
    probe = probes.fit(codes, labels, num_classes=3)
    codes[7, 2] = bad
    said = f"must be finite, got {bad}: 1 of 120 values are not"
    for refused in (
        lambda: probes.fit(codes, labels, num_classes=3),
        lambda: probe.predict(codes),
        lambda: probe.logits(codes),
        lambda: probes.principal_components(codes, 2),
        lambda: probes.random_projection(codes, 2),
    ):
        with pytest.raises(ValueError, match=said):
            refused()


@pytest.mark.parametrize("kind", [torch.int32, torch.uint8, torch.int16])
def test_labels_of_any_whole_kind_teach_the_same(kind):
    codes, labels = blobs(60, 1.0)
    wanted = probes.fit(codes, labels, num_classes=3)
    found = probes.fit(codes, labels.to(kind), num_classes=3)
    for mine, theirs in zip(found, wanted, strict=True):
        assert torch.equal(mine, theirs)
    result = probes.evaluate(
        codes, labels.to(kind), codes, labels.to(kind), num_classes=3
    )
    assert result.accuracy == probes.accuracy(wanted.predict(codes), labels)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_codes_of_any_precision_are_fitted_in_float64(dtype):
    codes, labels = blobs(60, 1.0)
    codes = codes.to(dtype)
    found = probes.fit(codes, labels, num_classes=3)
    wanted = probes.fit(codes.double(), labels, num_classes=3)
    assert found.weight.dtype == torch.float64
    torch.testing.assert_close(found.weight, wanted.weight)


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e200])
def test_codes_of_any_size_are_told_apart(size):
    codes, labels = blobs(60, 20.0)
    probe = probes.fit(size * codes, labels, num_classes=3)
    assert probe.scale.isfinite()
    assert torch.equal(probe.predict(size * codes), labels)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (torch.zeros(4), "^labels must hold whole numbers"),
        (torch.zeros(4, dtype=torch.bool), "^labels must hold whole numbers"),
        (torch.zeros(3).long(), r"^labels must have .* with n = 4.* got \(3,\)"),
        (torch.zeros(4, 1).long(), r"^labels must have .* got \(4, 1\)"),
        ([0, 1, 0, 1], "^labels must be a tensor"),
    ],
)
def test_what_are_no_labels_is_refused(labels, said):
    with pytest.raises(ValueError, match=said):
        probes.fit(torch.randn(4, 2), labels)


def test_codes_of_other_dimensions_are_refused_by_a_fitted_probe():
    codes, labels = blobs(30, 1.0)
    probe = probes.fit(codes, labels, num_classes=3)
    with pytest.raises(
        ValueError, match=r"the 4 dimensions that the probe was.* got 3"
    ):
        probe.predict(codes[:, :3])
    projection = probes.principal_components(codes, 2)
    with pytest.raises(ValueError, match=r"^x must have 4 columns.* got 3"):
        projection.encode(codes[:, :3])
