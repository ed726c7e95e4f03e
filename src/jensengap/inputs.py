r"""Hold callers to a function's signature: shapes, dtypes, whole numbers, numbers.

A signature such as ``log_w: Float[Tensor, "k *b"]`` is a promise about what a function
computes with. :func:`checked` keeps it whatever switches are set, torch's
``validate_args``, ``python -O`` and jaxtyping's own: what does not fit is refused in a
sentence, before anything has happened.
"""

from __future__ import annotations

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# by the name of the annotation: what is wanted, and what helps where another one came
_KINDS = {
    "Float": ("floating-point", "call .float()"),
    "Int": ("whole", "call .long()"),
    "Bool": ("true or false", "compare, or call .bool()"),
    "UInt8": ("uint8", "scale grey levels to 0 … 255 and call .byte()"),
}
_SIGNED = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function refuse arguments that its annotations do not allow.

    Tensors with a jaxtyping annotation must have its kind of dtype and its shape, where
    one name is one size throughout the call and no named size is 0 (``*b`` may hold
    one). What is annotated ``int`` may be whatever is a whole number, numpy's and
    torch's included; ``float`` whatever has ``__float__``, but no NaN. Both arrive as
    Python's own. Other annotations are left to the function.

    Args:
        function: a function or a method; its annotations may be strings.

    Returns:
        The function, which raises ``ValueError`` on a call that does not fit and says
        what was wanted, what came and what to do; the bare one is ``__wrapped__``.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given, sizes = list(args), {}
        # read at the call: an annotation may name what its module defines later
        for argument in _arguments(function):
            at, name = argument.position, argument.name
            if argument.many:
                given[at:] = [argument.read(each, sizes) for each in given[at:]]
            elif at < len(given):
                given[at] = argument.read(given[at], sizes)
            elif name in kwargs:
                kwargs[name] = argument.read(kwargs[name], sizes)
        return function(*given, **kwargs)

    return wrapper


class _Argument(NamedTuple):
    """One argument of a function, and what may be given for it.

    Attributes:
        name: what the signature calls it.
        position: among the positional ones; far out for one that is keyword-only.
        many: whether it stands for all that follow, as ``*dims`` does.
        tensors: jaxtyping's annotations, one of which a tensor must fit.
        number: ``int``, ``float`` or nothing: to what anything else is converted.
        optional: whether None may stand for it.
    """

    name: str
    position: int
    many: bool
    tensors: tuple[Any, ...]
    number: type | None
    optional: bool

    def read(self, value: Any, sizes: dict[str, Any]) -> Any:
        """Return the value as the function wants it; remember the sizes of its axes."""
        if value is None and self.optional:
            return value
        if self.tensors and (isinstance(value, Tensor) or self.number is None):
            return self._tensor(value, sizes)
        return whole(self.name, value) if self.number is int else real(self.name, value)

    def _tensor(self, value: Any, sizes: dict[str, Any]) -> Tensor:
        wanted = self.tensors[0]
        names = wanted.dim_str.split()
        shape = f"({', '.join(names)})".replace("#", "")
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{self.name} must be a tensor of shape {shape}, got {_named(value)}; "
                "torch.as_tensor makes one"
            )
        kind, cure = _KINDS[wanted.dtype.__name__]
        if value.layout != torch.strided:
            kind, cure = f"dense {kind}", "call .to_dense()"
        if not _is_kind(value, wanted.dtype.__name__):
            raise ValueError(
                f"{self.name} must hold {kind} numbers, got {value.dtype} of layout "
                f"{value.layout}; {cure}"
            )
        found = dict(sizes)
        if not _fits(names, tuple(value.shape), found):
            known = [f"{k} = {v}" for k, v in sizes.items() if k in wanted.dim_str]
            where = f" with {', '.join(known)}" if known else ""
            raise ValueError(
                f"{self.name} must have the shape {shape}{where}, each size at least "
                f"1, got {tuple(value.shape)}{_cure(len(names) - value.ndim)}"
            )
        sizes.update(found)
        return value


@functools.cache
def _arguments(function: Callable[..., Any]) -> tuple[_Argument, ...]:
    """List the arguments that can be checked, as a function's signature has them."""
    found = []
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    for position, parameter in enumerate(parameters):
        options = _options(hints.get(parameter.name))
        tensors = tuple(o for o in options if getattr(o, "array_type", None) is Tensor)
        number = next((o for o in options if o in (int, float)), None)
        plain = {int, float, type(None)}
        if not options or any(o not in plain and o not in tensors for o in options):
            continue
        keyword = parameter.kind is parameter.KEYWORD_ONLY
        found.append(
            _Argument(
                parameter.name,
                10**6 if keyword else position,
                parameter.kind is parameter.VAR_POSITIONAL,
                tensors,
                number,
                type(None) in options,
            )
        )
    return tuple(found)


def _options(hint: Any) -> tuple[Any, ...]:
    """List what an annotation allows: the members of a union, or itself."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _cure(missing: int) -> str:
    """Say what helps where axes are missing, or are too many."""
    if missing == 1:
        return "; x[None] adds an axis for one example"
    return "; x.flatten(1) joins the axes of each example" if missing < 0 else ""


def _is_kind(value: Tensor, kind: str) -> bool:
    if value.layout != torch.strided:
        return False
    if kind == "Float":
        return value.dtype in FLOATS
    if kind == "Int":
        return value.dtype in _SIGNED
    return value.dtype == (torch.bool if kind == "Bool" else torch.uint8)


def _fits(names: list[str], shape: tuple[int, ...], sizes: dict[str, Any]) -> bool:
    """Test a shape against jaxtyping's words for it; add what it says of sizes."""
    several = [at for at, name in enumerate(names) if name[:1] == "*" or name == "..."]
    if len(shape) < len(names) - len(several):
        return False
    if not several:
        return len(shape) == len(names) and all(
            _is_size(name, size, sizes) for name, size in zip(names, shape, strict=True)
        )
    (at,) = several
    behind = len(names) - at - 1
    middle = shape[at : len(shape) - behind]
    outer = shape[:at] + shape[len(shape) - behind :]
    return _are_sizes(names[at], middle, sizes) and all(
        _is_size(name, size, sizes)
        for name, size in zip(names[:at] + names[at + 1 :], outer, strict=True)
    )


def _is_size(name: str, size: int, sizes: dict[str, Any]) -> bool:
    """Test one axis: a number, a name, or ``#name`` for what may be 1 as well."""
    if name.isdecimal():
        return size == int(name)
    may_be_one, name = name.startswith("#"), name.removeprefix("#")
    known = sizes.setdefault(name, size)
    if may_be_one and 1 in (size, known):
        sizes[name] = max(size, known)
    return size >= 1 and (size == known or (may_be_one and 1 in (size, known)))


def _are_sizes(name: str, shape: tuple[int, ...], sizes: dict[str, Any]) -> bool:
    """Test several axes: ``*name``, or ``*#name`` for what is broadcast."""
    if name == "...":
        return True
    known = sizes.setdefault(name.replace("#", ""), shape)
    if "#" not in name:
        return shape == known
    try:
        both = tuple(torch.broadcast_shapes(shape, known))
    except RuntimeError:
        return False
    sizes[name.replace("#", "")] = both
    return True


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
            f"{name} must be a whole number, got {_named(value)}; int() makes one"
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
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(
            f"{name} must be one number, got {_named(value)}; float() makes one"
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
        ValueError: texts, complex numbers, or lists of different lengths.
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
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        # a new array: torch knows neither foreign bytes nor negative strides
        return torch.from_numpy(array.astype(np.float64, order="C"))
    if array.dtype.kind != "O" or value is None:
        raise ValueError(
            f"numbers must be real, got {_named(value)}; write them without quotes"
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
            f"numbers must be real, got {_named(value)}; float() must read it"
        ) from None


def every(condition: Tensor) -> bool:
    """Test whether all elements are true; a tensor without values has none to refuse.

    Args:
        condition: truth values, on any device; those of torch's ``meta`` hold none.

    Returns:
        Whether all are.
    """
    return condition.is_meta or bool(condition.all())


def widest(tensor: Tensor) -> torch.dtype:
    """Return float64 where the tensor's device has it, and float32 elsewhere.

    Args:
        tensor: on any device; Apple's (``mps``) has no float64.

    Returns:
        The dtype for sums whose small differences are wanted.
    """
    return torch.float64 if _has_float64(tensor.device) else torch.float32


def _has_float64(device: torch.device) -> bool:
    return device.type != "mps"


@contextmanager
def differentiable() -> Iterator[None]:
    """Let gradients be taken inside, under ``no_grad`` and ``inference_mode`` as well.

    What was made under ``inference_mode`` must be cloned inside before it is used.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _named(value: Any) -> str:
    """Describe a value in few characters, for a message."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody's own class
        text = object.__repr__(value)
    text = text if len(text) <= 40 else text[:39] + "…"
    return f"{text} ({type(value).__name__})"
