r"""Hold callers to a function's signature: shapes, dtypes, whole numbers, numbers.

A signature such as ``log_w: Float[Tensor, "k *b"]`` is a promise about what a function
computes with. :func:`checked` keeps it whatever switches are set, torch's
``validate_args``, ``python -O`` and jaxtyping's own: what does not fit is refused in a
sentence, before anything has happened.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from jensengap import numeric

FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# by the name of the annotation: what is wanted, and what helps where another one came
_KINDS = {
    "Float": ("floating-point", "call .float()"),
    "Int": ("whole", "call .long()"),
    "Integer": ("whole", "call .long()"),
    "Shaped": ("plain", "give a tensor"),
    "Bool": ("true or false", "compare, or call .bool()"),
    "UInt8": ("uint8", "scale grey levels to 0 … 255 and call .byte()"),
}
_SIGNED = (torch.int64, torch.int32, torch.int16, torch.int8)


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
        tensors: jaxtyping's annotations, one of which a tensor must fit; the last is
            named where none does.
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
        is_scalar = isinstance(value, Tensor) and not value.dim()
        # one that something is differentiated by stays as it is
        is_learned = is_scalar and self.number is float and value.requires_grad
        if self.number and is_scalar and not is_learned:
            return self._number(value)
        if self.tensors and (isinstance(value, Tensor) or self.number is None):
            return self._tensor(value, sizes)
        return self._number(value)

    def _number(self, value: Any) -> int | float:
        read = numeric.whole if self.number is int else numeric.real
        return read(self.name, value)

    def _tensor(self, value: Any, sizes: dict[str, Any]) -> Tensor:
        wanted = self.tensors[-1]
        names = wanted.dim_str.split()
        shape = f"({', '.join(names)})".replace("#", "")
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{self.name} must be a tensor of shape {shape}, got "
                f"{numeric.named(value)}; torch.as_tensor makes one"
            )
        kind, cure = _KINDS[wanted.dtype.__name__]
        if value.layout != torch.strided:
            kind, cure = f"dense {kind}", "call .to_dense()"
        if not _is_kind(value, wanted.dtype.__name__):
            raise ValueError(
                f"{self.name} must hold {kind} numbers, got {value.dtype} of layout "
                f"{value.layout}; {cure}"
            )
        for option in self.tensors:
            found = dict(sizes)
            if _fits(option.dim_str.split(), tuple(value.shape), found):
                sizes.update(found)
                return value
        known = [f"{k} = {v}" for k, v in sizes.items() if k in wanted.dim_str]
        where = f" with {', '.join(known)}" if known else ""
        raise ValueError(
            f"{self.name} must have the shape {shape}{where}, each size at least "
            f"1, got {tuple(value.shape)}{_cure(names, value.ndim)}"
        )


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
        known = (int, float, type(None), *tensors)
        if not all(option in known for option in options):
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


def _cure(names: list[str], num_axes: int) -> str:
    """Say what helps where axes are missing, or are too many."""
    # a starred name stands for any number of axes, for none as well
    needed = sum(name[:1] != "*" and name != "..." for name in names)
    if num_axes == needed - 1:
        return "; x[None] adds an axis for one example"
    too_many = needed == len(names) < num_axes
    return "; x.flatten(1) joins the axes of each example" if too_many else ""


def _is_kind(value: Tensor, kind: str) -> bool:
    if value.layout != torch.strided:
        return False
    if kind == "Shaped":
        return True
    if kind == "Float":
        return value.dtype in FLOATS
    if kind == "Integer":
        return value.dtype in (*_SIGNED, torch.uint8)
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
    if name.startswith("#") and size == 1:
        return True
    return size >= 1 and size == sizes.setdefault(name.removeprefix("#"), size)


def _are_sizes(name: str, shape: tuple[int, ...], sizes: dict[str, Any]) -> bool:
    """Test several axes: ``*name``, or ``*#name`` for what is broadcast to it."""
    if name == "...":
        return True
    if "#" not in name:
        return shape == sizes.setdefault(name, shape)
    # what all are broadcast to: the plain one, or else what they make together
    fixed = sizes.get(name.replace("#", ""))
    # the usual case, in a hundredth of the time that broadcast_shapes takes
    if shape == fixed or (fixed is None and shape == sizes.setdefault(name, shape)):
        return True
    try:
        both = torch.broadcast_shapes(shape, fixed or sizes.get(name, ()))
    except RuntimeError:
        return False
    sizes[name] = tuple(both)
    return fixed is None or tuple(both) == fixed


def every(condition: Tensor) -> bool:
    """Test whether all elements are true; a tensor without values has none to refuse.

    Args:
        condition: truth values, on any device; those of torch's ``meta`` hold none,
            and those inside of ``torch.func.vmap`` do not show them.

    Returns:
        Whether all are.
    """
    try:
        return condition.is_meta or bool(condition.all())
    except RuntimeError:  # of torch.func.vmap, where values cannot be looked at
        return True


def alike(name: str, value: Tensor, like: Tensor) -> None:
    """Refuse a tensor of another dtype or device than the one it is multiplied with.

    Args:
        name: what the message calls it.
        value: what came.
        like: what it meets, a parameter of the model for example.

    Raises:
        ValueError: they differ, so that torch would refuse the product.
    """
    if value.dtype != like.dtype or value.device != like.device:
        raise ValueError(
            f"{name} must be {like.dtype} on {like.device}, as what it is multiplied "
            f"with, got {value.dtype} on {value.device}; call .to(…) on one of them"
        )


def finite(name: str, value: Tensor) -> None:
    """Refuse NaN and infinity, where the result could not show them.

    Args:
        name: what the message calls it.
        value: what came.

    Raises:
        ValueError: a value is not finite; says how many.
    """
    if not every(value.isfinite()):
        bad = value[~value.isfinite()]
        raise ValueError(
            f"{name} must be finite, got {bad[0].item()}: {len(bad)} of "
            f"{value.numel()} values are not; look for the step that made them"
        )


def single(value: Tensor) -> Tensor:
    """Convert half precision to float32, which more of torch's functions know.

    Args:
        value: any dtype.

    Returns:
        float32 of a half, and everything else as it is.
    """
    half = value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value


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


def positive_scale(name: str, scale: Tensor) -> None:
    """Refuse a standard deviation that is none.

    Args:
        name: what the message calls it.
        scale: what came.

    Raises:
        ValueError: a value is zero, negative, infinite or NaN; says which.
    """
    is_scale = (scale > 0) & scale.isfinite()
    if not every(is_scale):
        raise ValueError(
            f"{name} must be positive and finite, got {scale[~is_scale][0].item():g}; "
            "it is a standard deviation, not a log-variance"
        )


def no_nan(name: str, value: Tensor) -> None:
    """Refuse NaN in parameters of a distribution, where it would be taken for a scale.

    Args:
        name: what the message calls it.
        value: what came.

    Raises:
        ValueError: a value is NaN; says how many.
    """
    # a sum that is a number has numbers for parts, and is quickly made
    if not every(~value.sum().isnan()) and not every(~value.isnan()):
        raise ValueError(
            f"{name} must not be NaN, got {int(value.isnan().sum())} such among "
            f"{value.numel()}; look for the step that made them, and train more gently"
        )


def run(net: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
    """Run a network; say in a sentence what it does not take.

    Args:
        net: any module, or one's ``forward``.
        given: its input.

    Returns:
        Its output.

    Raises:
        ValueError: torch refused the input's shape, dtype or device.
    """
    try:
        return net(given)
    except torch.cuda.OutOfMemoryError:
        raise
    except RuntimeError as error:
        owner = getattr(net, "__self__", net)
        like = next(owner.parameters(), None) if hasattr(owner, "parameters") else None
        kind = "" if like is None else f"; its parameters are {like.dtype}"
        raise ValueError(
            f"the network must take what it is given, got {given.dtype} of shape "
            f"{tuple(given.shape)}{kind}. torch says: {str(error).splitlines()[0]}"
        ) from error
