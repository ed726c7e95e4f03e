"""What every test shares: one thread each, one browser, and whose turn is when."""

import os

# Before torch is imported anywhere; `make test` sets the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook
from turns import in_turn
from turns import pytest_sessionfinish as pytest_sessionfinish
from turns import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

# Shapes are checked from here on: what is imported before escapes. Not an option of
# pytest, which mutation testing starts again where the package is in memory.
install_import_hook("jensengap", "beartype.beartype")


def pytest_addoption(parser):
    parser.addoption(
        "--every-chapter",
        action="store_true",
        help="run again also those chapters that passed with the same inputs before",
    )
    parser.addoption(
        "--move-seeds",
        type=int,
        metavar="N",
        help="add N to every seed: what is true stays true (also JENSENGAP_MOVE_SEEDS)",
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "exact_seeds(reason): the test holds for the seeds as they are written only",
    )
    # not above: torch is to find the number of threads
    from tools.seeds import seeds

    by = config.getoption("--move-seeds")
    seeds.move(seeds.asked() if by is None else by)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Leave the seeds of a marked test as they are, those of its fixtures as well."""
    from tools.seeds import seeds

    mark = item.get_closest_marker("exact_seeds")
    if mark is None:
        return (yield)
    if not mark.kwargs.get("reason"):
        raise pytest.UsageError(f"{item.nodeid}: say why: exact_seeds(reason='…')")
    with seeds.exact():
        return (yield)


def pytest_collection_modifyitems(config, items):
    """Run properties last: one that fails is tried on ever smaller examples."""
    items.sort(key=lambda item: hasattr(item.obj, "hypothesis"))
    if hasattr(config, "workerinput"):  # of several processes
        items[:] = [items[at] for at in in_turn([item.nodeid for item in items])]


@pytest.fixture(scope="session")
def chromium():
    """Start the browser once for all tests of a process, or skip loudly."""
    from browser import started  # not above: most processes that test need no browser

    with started() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(chromium):
    """Lend the browser to a file of tests."""
    from browser import borrowed

    with borrowed(chromium) as lent:
        yield lent


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
