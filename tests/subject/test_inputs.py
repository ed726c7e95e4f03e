"""A signature is kept: what fits arrives, all else is refused in a sentence."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from jensengap import inputs


@inputs.checked
def pair(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], *, k: int = 1) -> tuple:
    return x, y, k


@inputs.checked
def trailing(log_w: Float[Tensor, "k *b"], log_p: Float[Tensor, "*#b"]) -> tuple:
    return log_w, log_p


@inputs.checked
def scaled(
    loc: Float[Tensor, "*b d"], scale: float | Float[Tensor, "#d"] | None = None
) -> tuple:
    return loc, scale


@inputs.checked
def sizes(*dims: int, factor: float = 1.0) -> tuple:
    return (*dims, factor)


@inputs.checked
def kinds(
    i: Int[Tensor, "n"], t: Bool[Tensor, "n"], g: UInt8[Tensor, "n h w"], name: str
) -> str:
    return name


FITTING = [
    (pair, (torch.zeros(3, 2), torch.zeros(4, 2))),
    (trailing, (torch.zeros(3), torch.zeros(()))),
    (trailing, (torch.zeros(3, 4, 5), torch.zeros(4, 1))),
    (trailing, (torch.zeros(3, 0), torch.zeros(0))),
    (scaled, (torch.zeros(3, 2), 0.5)),
    (scaled, (torch.zeros(3, 2), torch.ones(1))),
    (scaled, (torch.zeros(3, 2, dtype=torch.bfloat16), torch.ones(2))),
    (scaled, (torch.zeros(2),)),
    (scaled, (torch.zeros(2, device="meta"),)),
]
REFUSED = [
    (pair, (torch.zeros(3, 2), torch.zeros(4, 3)), r"y .* \(m, d\) with d = 2"),
    (pair, (torch.zeros(3), torch.zeros(4, 2)), r"x must have.*got \(3,\); x\[None\]"),
    (pair, (torch.zeros(3, 2, 2), torch.zeros(4, 2)), "flatten"),
    (pair, (torch.zeros(0, 2), torch.zeros(4, 2)), "at least 1"),
    (pair, (np.zeros((3, 2)), torch.zeros(4, 2)), "ndarray.*as_tensor"),
    (pair, (torch.zeros(3, 2).long(), torch.zeros(4, 2)), "floating-point.*int64"),
    (pair, (torch.zeros(3, 2) + 0j, torch.zeros(4, 2)), "complex64"),
    (pair, (torch.zeros(3, 2).to_sparse(), torch.zeros(4, 2)), "to_dense"),
    (trailing, (torch.zeros(()), torch.zeros(())), r"log_w must have.*x\[None\]"),
    # a starred name stands for any number of axes: none is missing, none too many
    (trailing, (torch.zeros(0), torch.zeros(())), r"got \(0,\)$"),
    (trailing, (torch.zeros(0, 3, 4, 5), torch.zeros(())), r"got \(0, 3, 4, 5\)$"),
    (trailing, (torch.zeros(3, 4), torch.zeros(3)), "log_p must have"),
    (scaled, (torch.zeros(3, 2), torch.ones(3)), "scale must have"),
    (scaled, (torch.zeros(3, 2), "wide"), "scale must be one number"),
    (scaled, (torch.zeros(3, 2), float("nan")), "NaN"),
    (scaled, (None,), "loc must be a tensor"),
    (sizes, (2, 2.5), "dims must be a whole number, got 2.5"),
    (sizes, (2, True), "got True"),
    (sizes, (2, torch.tensor(True)), r"got tensor\(True\)"),
    (sizes, (2, "3"), "whole number"),
    (sizes, (2, None), "whole number"),
]
KINDS = {
    "i": torch.zeros(3, dtype=torch.int32),
    "t": torch.ones(3, dtype=torch.bool),
    "g": torch.zeros(3, 4, 4, dtype=torch.uint8),
    "name": "any",
}


@pytest.mark.parametrize(("function", "given"), FITTING)
def test_what_fits_arrives(function, given):
    for came, gone in zip(function(*given), given, strict=False):
        assert came is gone


@pytest.mark.parametrize(("function", "given", "said"), REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(function, given, said):
    with pytest.raises(ValueError, match=said):
        function(*given)


@pytest.mark.parametrize("name", ["i", "t", "g"])
def test_whole_numbers_truth_values_and_grey_levels_are_told_apart(name):
    assert kinds(**KINDS) == "any"
    with pytest.raises(ValueError, match=f"{name} must hold"):
        kinds(**KINDS | {name: KINDS[name].float()})


def test_numbers_of_other_libraries_arrive_as_pythons_own():
    given = np.int64(3), torch.tensor(4), np.uint8(5)
    found = sizes(*given, factor=Fraction(1, 2))
    assert found == (3, 4, 5, 0.5)
    assert [type(each) for each in found] == [int, int, int, float]
    assert scaled(torch.zeros(2), np.float32(0.5))[1] == 0.5


def test_an_argument_by_name_is_held_like_one_by_place():
    with pytest.raises(ValueError, match="k must be a whole number"):
        pair(torch.zeros(3, 2), y=torch.zeros(4, 2), k=0.5)
    with pytest.raises(ValueError, match="y must have"):
        pair(torch.zeros(3, 2), y=torch.zeros(4, 1))


def test_no_switch_turns_it_off():
    code = (
        "import torch; from torch.distributions import Distribution\n"
        "Distribution.set_default_validate_args(False)\n"
        "from jensengap import inputs; from torch import Tensor\n"
        "from jaxtyping import Float\n"
        "@inputs.checked\n"
        "def f(x: Float[Tensor, 'n d']): return x\n"
        "try: f(torch.zeros(3))\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", code],
        env={"JAXTYPING_DISABLE": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "x must have the shape (n, d)" in done.stdout


def test_gradients_can_be_taken_wherever_they_are_switched_off():
    for off in (torch.no_grad(), torch.inference_mode()):
        with off:
            x = torch.ones(3)
            with inputs.differentiable():
                x = x.clone().requires_grad_()
                (slope,) = torch.autograd.grad((x**2).sum(), x)
            assert slope.tolist() == [2, 2, 2]


def test_a_device_without_float64_gets_float32(monkeypatch):
    assert inputs.widest(torch.zeros(1)) == torch.float64
    monkeypatch.setattr(inputs, "_has_float64", lambda device: False)
    assert inputs.widest(torch.zeros(1)) == torch.float32


def test_every_is_all_and_a_tensor_without_values_has_none_to_refuse():
    assert inputs.every(torch.tensor([True, True]))
    assert not inputs.every(torch.tensor([True, False]))
    assert inputs.every(torch.zeros(2, device="meta") > 1)
