"""What every test shares: one thread each, since two run at a time."""

import os

# Before torch is imported anywhere; `make test` sets the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture
def drawing():
    """Draw a figure with a curve, a label with decimals, and signs that SVG escapes."""
    # not above: what is imported before pytest starts escapes the check of shapes
    from jensengap import plot

    fig, ax = plot.figure(4.0, 2.0)
    ax.plot([0, 1, 2], [0.123456, 3, -1], "o-", color=plot.GAP, label="a")
    ax.set(xlabel="z of 0.123456", title="<gap> & co")
    return fig


@pytest.fixture
def default_double():
    """Make float64 the default that torch falls back on, as a notebook may."""
    import torch

    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
