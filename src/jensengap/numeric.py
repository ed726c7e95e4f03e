"""Read numbers of any library: Python's, numpy's, torch's, sympy's, mpmath's."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Of a tolerance: 0.4 - 0.395 is a little more than 0.005 to a computer.
SLACK = 1e-9


def whole(name: str, value: Any) -> int:
    """Convert a whole number to Python's own, whatever library it is from.

    Args:
        name: what the message calls it.
        value: Python's, numpy's or torch's.

    Returns:
        The number.

    Raises:
        ValueError: a fraction, a truth value, or no number.
    """
    try:
        if (
            isinstance(value, bool | np.bool_)
            or getattr(value, "dtype", 0) == torch.bool
        ):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number, got {named(value)}; int() makes one"
        ) from None


def real(name: str, value: Any) -> float:
    """Convert a number to Python's float, whatever library it is from.

    Args:
        name: what the message calls it.
        value: whatever has ``__float__``: a fraction, a decimal, numpy's or sympy's.

    Returns:
        The number, which may be infinite.

    Raises:
        ValueError: a text, a truth value, NaN, or several numbers.
    """
    try:
        if isinstance(value, str | bytes | bool | np.bool_):
            raise TypeError
        # numpy would take one number in a list, and warn
        if getattr(value, "ndim", 0) and isinstance(value, np.ndarray):
            raise TypeError
        # of a tensor only the number: torch warns of a history that is lost
        number = float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(
            f"{name} must be one number, got {named(value)}; float() makes one"
        ) from None
    if number != number:
        raise ValueError(
            f"{name} must be a number, got NaN; look for the step that made it"
        )
    return number


def float64(value: Any) -> Tensor:
    """Convert numbers of any library to a float64 tensor on the CPU, without a history.

    Args:
        value: a tensor, an array in any order of bytes and axes, whatever has
            ``__float__``, or lists of these.

    Returns:
        The numbers, in the shape that they came in.

    Raises:
        ValueError: texts, complex or masked numbers, or lists of different lengths.
    """
    if isinstance(value, list | tuple) and len(value):
        parts = [float64(each) for each in value]
        if len({part.shape for part in parts}) > 1:
            raise ValueError(
                "lists of numbers must be of one length, got shapes "
                f"{sorted({tuple(part.shape) for part in parts})}; pad or cut them"
            )
        return torch.stack(parts)
    if isinstance(value, Tensor):
        # moved first: not every device has float64
        value = value.detach().cpu().resolve_neg()
        if value.is_complex():
            raise ValueError(
                f"numbers must be real, got {value.dtype}; give .real and .imag apart"
            )
        return (
            value.to_dense().double()
            if value.layout != torch.strided
            else value.double()
        )
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(
            f"numbers must be there, got masked ones in {named(value)}; "
            ".filled(0.0) or .compressed() says what stands for them"
        )
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        # a new array: torch knows neither foreign bytes nor negative strides
        with np.errstate(over="ignore"):  # a long double may end in infinity
            return torch.from_numpy(array.astype(np.float64, order="C"))
    if array.dtype.kind != "O" or value is None:
        raise ValueError(
            f"numbers must be real, got {named(value)}; write them without quotes"
        )
    numbers = [_float(each) for each in array.flat]
    return torch.tensor(numbers, dtype=torch.float64).reshape(array.shape)


def _float(value: Any) -> float:
    try:
        if isinstance(value, str | bytes) or value is None:
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(
            f"numbers must be real, got {named(value)}; float() must read it"
        ) from None


def within(error: Any, tolerance: Any) -> Any:
    """Test whether an error is at most a tolerance, whose edge belongs to it.

    Args:
        error: number or tensor.
        tolerance: number or tensor of the same shape, not negative.

    Returns:
        A truth value for each error.
    """
    slack = SLACK
    if isinstance(error, Tensor):  # numbers of few digits miss by more
        slack = max(slack, 4 * torch.finfo(error.dtype).eps)
    return error <= tolerance * (1 + slack)


def named(value: Any) -> str:
    """Describe a value in few characters, for a message.

    Args:
        value: anything.

    Returns:
        Its ``repr``, cut where it is long, and its type.
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody's own class
        text = object.__repr__(value)
    text = text if len(text) <= 40 else text[:39] + "…"
    return f"{text} ({type(value).__name__})"
