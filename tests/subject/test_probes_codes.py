"""The linear codes: principal components keep the most, chance keeps the shape."""

import pytest
import torch

from jensengap import probes

F64 = {"dtype": torch.float64}


@pytest.fixture
def x():
    torch.manual_seed(0)
    widths = torch.tensor([5.0, 0.1, 2.0, 0.5], **F64)
    return torch.randn(300, 4, **F64) * widths + 3


def test_principal_components_are_the_eigenvectors_of_the_covariance(x):
    code = probes.principal_components(x, 2)
    values, vectors = torch.linalg.eigh(x.mT.cov())
    overlap = (vectors[:, [3, 2]] * code.matrix).sum(0).abs()
    torch.testing.assert_close(overlap, torch.ones(2, **F64))
    torch.testing.assert_close(code.encode(x).var(0), values[[3, 2]])
    assert code.encode(x).mean(0).abs().max() < 1e-12


def test_no_other_projection_keeps_more_of_the_variance(x):
    best = probes.principal_components(x, 2).encode(x).var(0).sum()
    for seed in range(20):
        torch.manual_seed(seed)
        other = probes.random_projection(x, 2)
        assert other.encode(x).var(0, correction=1).sum() <= 2 * best
        turn = probes.Projection(other.loc, torch.linalg.qr(other.matrix).Q)
        assert turn.encode(x).var(0).sum() <= best


def test_random_directions_have_unit_length_and_come_from_the_seed(x):
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(probes.random_projection(x, 3))
    assert torch.equal(drawn[0].matrix, drawn[1].matrix)
    assert not torch.equal(drawn[0].matrix, drawn[2].matrix)
    torch.testing.assert_close(drawn[0].matrix.norm(dim=0), torch.ones(3, **F64))
    assert drawn[0].encode(x).mean(0).abs().max() < 1e-12


@pytest.mark.parametrize(
    "make", [probes.principal_components, probes.random_projection]
)
def test_there_are_no_more_directions_than_columns(make, x):
    assert make(x, 4).encode(x.float()).shape == (300, 4)
    for wrong in (0, 5):
        with pytest.raises(ValueError, match=f"from 1 to 4, got {wrong}"):
            make(x, wrong)
