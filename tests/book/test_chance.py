"""Where chance decides, a seed stands in sight before."""

import ast

import pytest
from chance import package, unseeded
from reading import imports, text, trees

from tools.book.toc import pages


def first_draw(*cells):
    start = (
        "from jensengap import data, nets, plot, quadrature, recipes\n"
        "from jensengap.data import toy"
    )
    return unseeded([ast.parse(cell) for cell in (start, *cells)])


@pytest.mark.parametrize("page", pages())
def test_a_seed_stands_before_the_first_draw(page):
    assert not unseeded(trees(page)), "write torch.manual_seed(0), say, above this line"


@pytest.mark.parametrize("page", pages())
def test_torch_alone_draws_and_its_generators_are_seeded(page):
    assert not {name.split(".")[0] for name in imports(page)} & {"random", "secrets"}
    for tree in trees(page):
        for node in map(ast.unparse, ast.walk(tree)):
            assert not node.startswith(("np.random", "numpy.random", "torch.seed("))
    assert text(page).count("torch.Generator()") == text(page).count(
        "torch.Generator().manual_seed("
    )


def test_the_package_is_known_by_what_it_draws():
    drawing = {"recipes.digit_vae", "data.binarize", "gradients.pathwise", "*.terms"}
    silent = {
        "toy.ring_of_gaussians",
        "plot.show",
        "quadrature.log_evidence",
        "bounds.iwae",
    }
    assert drawing <= package()
    assert not silent & package()


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["x = torch.randn(3)", "torch.manual_seed(0)"], "x = torch.randn(3)"),
        (["x = 1", "vae = recipes.digit_vae(2, 3)"], "vae = recipes.digit_vae(2, 3)"),
        (["net = torch.nn.Linear(1, 1)"], "net = torch.nn.Linear(1, 1)"),
        (["q.rsample((3,)).mean()"], "q.rsample((3,)).mean()"),
        # a variable of a module's name is no module
        (["vae.terms(x)"], "vae.terms(x)"),
        # a seed that is out of sight is none
        (["torch.manual_seed(seed)\nq.sample()"], "q.sample()"),
        (["for s in seeds:\n    torch.manual_seed(s)\n    q.sample()"], "q.sample()"),
        # functions draw where they are used
        (["def f():\n    return data.binarize(p)", "y = f()"], "y = f()"),
        (["f = lambda: q.sample()\ng = lambda: f()", "g()"], "g()"),
        (
            ["def f(seed):\n    torch.manual_seed(seed)\n    q.sample()", "q.sample()"],
            "q.sample()",
        ),
        (["if torch.rand(1) > 0.5:\n    pass"], "torch.rand(1) > 0.5"),
    ],
)
def test_a_draw_without_a_seed_is_found(cells, line):
    assert first_draw(*cells) == line


@pytest.mark.parametrize(
    "cells",
    [
        ["torch.manual_seed(0)", "x = torch.randn(3)"],
        ["def f():\n    return q.sample()", "torch.manual_seed(0)\nf()"],
        ["def f(seed):\n    torch.manual_seed(seed)\n    q.sample()", "f(3)"],
        ["for s in range(3):\n    torch.manual_seed(s)\n    q.sample()"],
        ["for s in (1, 2):\n    if s:\n        torch.manual_seed(s)\n    q.sample()"],
        ["toy.ring_of_gaussians(9, seed=0)", "plot.show(fig, alt='')"],
        ["g = torch.Generator().manual_seed(0)", "data.binarize(p, generator=g)"],
        ["head = nets.bernoulli(logits)", "p = torch.softmax(x, 0)"],
    ],
)
def test_a_seeded_draw_and_no_draw_are_fine(cells):
    assert not first_draw(*cells)
