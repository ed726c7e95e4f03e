"""The public surface of the subject: every function, method and class that it has."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

import jensengap

SRC = Path(jensengap.__file__).parent
FOLDERS = ("", "data", "fast")
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
# far out, but so that a square is a float in every dtype but a half
ODD = (float("nan"), float("inf"), float("-inf"))
FAR = (0.0, 1.0, -1.0, 1e-12, 1e-5, 20.0, -300.0, 1e4, -6e4)


def modules() -> Iterator[tuple[str, Any]]:
    """Yield the subject's modules by the name that a reader imports."""
    for folder in FOLDERS:
        for path in sorted((SRC / folder).glob("*.py")):
            name = ".".join((folder, path.stem)).strip(".")
            name = name.removesuffix(".__init__").removesuffix("__init__")
            if name:
                yield name, importlib.import_module(f"jensengap.{name}")


def surface() -> dict[str, Callable[..., Any]]:
    """Find what a user may call: functions, classes, and their public methods."""
    found: dict[str, Callable[..., Any]] = {}
    for module, content in modules():
        for name, value in vars(content).items():
            if name.startswith("_") or getattr(value, "__module__", "") != (
                content.__name__
            ):
                continue
            whole = f"{module}.{name}"
            if inspect.isfunction(value):
                found[whole] = value
            elif inspect.isclass(value):
                if "__init__" in vars(value):
                    found[whole] = value
                found |= {
                    f"{whole}.{method}": value.__dict__[method]
                    for method in vars(value)
                    if not method.startswith("_") and _is_method(value, method)
                }
    return found


def _is_method(owner: type, name: str) -> bool:
    plain = inspect.getattr_static(owner, name)
    return inspect.isfunction(plain) or isinstance(plain, classmethod | property)


class Draw:
    """Draw arguments: shapes, dtypes and values as far out as they go.

    Args:
        data: hypothesis's source of choices.
    """

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.dtype = self.one_of(*DTYPES)
        self.sizes: dict[str, int] = {}
        self.asks_for_slopes = self.one_of(True, False)

    def one_of(self, *options: Any) -> Any:
        """Choose one."""
        return self.data.draw(st.sampled_from(options))

    def size(self, name: str) -> int:
        """Choose the size of an axis, the same one at every call."""
        if name.isdecimal():
            return int(name)
        return self.sizes.setdefault(name, self.one_of(1, 2, 3, 5))

    def shape(self, dims: str) -> tuple[int, ...]:
        """Choose a shape by jaxtyping's words for it."""
        sizes: list[int] = []
        for name in dims.split():
            plain = name.replace("#", "")
            if plain.startswith("*") or plain == "...":
                count = self.sizes.setdefault(f"axes of {plain}", self.one_of(0, 1, 2))
                sizes += [self.size(f"{plain}{i}") for i in range(count)]
            else:
                sizes.append(self.size(plain))
        return tuple(sizes)

    def tensor(self, dims: str, kind: str = "", dtype: Any = None) -> Tensor:
        """Choose a tensor of a shape and of a kind of values."""
        shape = self.shape(dims)
        kinds = "normal", "far", "unit", "binary", "positive", "odd"
        kind = kind or self.one_of(*kinds)
        chance = torch.Generator().manual_seed(self.data.draw(st.integers(0, 10**6)))
        normal = torch.randn(shape, generator=chance, dtype=torch.float64)
        far = torch.tensor(FAR)[
            torch.randint(len(FAR), shape, generator=chance)
        ].double()
        values = {
            "normal": normal,
            "far": far,
            "odd": torch.where(normal > 1, torch.tensor(ODD[len(shape) % 3]), normal),
            "unit": normal.sigmoid(),
            "binary": (normal > 0).double(),
            "positive": normal.exp(),
            "logs": normal.log_softmax(0) if shape else normal,
            "shares": normal.softmax(-1) if shape else normal.exp(),
        }[kind]
        return values.to(dtype or self.dtype)

    def indices(self, dims: str, below: int) -> Tensor:
        """Choose whole numbers from 0, in some integer type."""
        chance = torch.Generator().manual_seed(self.data.draw(st.integers(0, 10**6)))
        numbers = torch.randint(below, self.shape(dims), generator=chance)
        return numbers.to(self.one_of(torch.int64, torch.int32, torch.uint8))


def tensors(result: Any) -> Iterator[Tensor]:
    """Yield every tensor in a result: in tuples, modules' outputs, distributions."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for each in result:
            yield from tensors(each)
    elif isinstance(result, torch.distributions.Distribution):
        yield result.mean
        yield result.sample()


def is_finite(arguments: Any) -> bool:
    """Test whether every tensor in some arguments is finite."""
    return all(bool(t.isfinite().all()) for t in tensors(list(arguments)))
