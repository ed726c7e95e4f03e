"""What every test shares: one thread each, since two run at a time."""

import os

# Before torch is imported anywhere; `make test` sets the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook

# Shapes are checked from here on: what is imported before escapes. Not an option of
# pytest, which mutation testing starts again where the package is in memory.
install_import_hook("jensengap", "beartype.beartype")


def pytest_collection_modifyitems(items):
    """Run properties last: one that fails is tried on ever smaller examples."""
    items.sort(key=lambda item: hasattr(item.obj, "hypothesis"))


@pytest.fixture
def drawing():
    """Draw a figure with a curve, a label with decimals, and signs that SVG escapes."""
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
