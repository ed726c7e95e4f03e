r"""Linear probes of latent codes, beside controls that know less.

A linear probe is multinomial logistic regression from codes to classes. Its accuracy
alone means nothing: it is read beside the share of the largest class, beside probes
trained on permuted labels, and beside probes of codes that nobody learned (a random
projection, principal components).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor
from torch.nn.functional import normalize

from jensengap import inputs, numeric
from jensengap.divergences import Estimate


class Probe(NamedTuple):
    r"""Linear probe: the classifier $\arg\max_c\,(Wu+b)_c$ with $u=(z-\mu)/s$.

    Attributes:
        weight: $W$, one row for each class.
        bias: $b$.
        loc: $\mu$, the mean of the codes that it was fitted to.
        scale: $s$, *one* number for all coordinates, so that no basis is preferred.

    Source: Alain and Bengio (2017).
    """

    weight: Float[Tensor, "c d"]
    bias: Float[Tensor, "c"]
    loc: Float[Tensor, "d"]
    scale: Float[Tensor, ""]

    @inputs.checked
    def logits(self, codes: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Return the logits: log-probabilities of classes, up to a shift of each row.

        Args:
            codes: as many dimensions as the probe was fitted to.

        Returns:
            float64, on the CPU.

        Raises:
            ValueError: other dimensions.
        """
        if codes.shape[1] != len(self.loc):
            raise ValueError(
                f"codes must have the {len(self.loc)} dimensions that the probe was "
                f"fitted to, got {codes.shape[1]}"
            )
        inputs.finite("codes", codes)
        centred = (codes.detach().cpu().double() - self.loc) / self.scale
        return centred @ self.weight.mT + self.bias

    @inputs.checked
    def predict(self, codes: Float[Tensor, "n d"]) -> Int[Tensor, "n"]:
        """Return the most probable class of each code."""
        return self.logits(codes).argmax(1)


@inputs.checked
def fit(
    codes: Float[Tensor, "n d"],
    labels: Integer[Tensor, "n"],
    *,
    num_classes: int = 10,
    ridge: float = 1e-3,
) -> Probe:
    r"""Fit a probe: minimise $-\frac1n\sum_i\log p(y_i\,|\,u_i)+\frac\lambda2\|W\|^2$.

    The problem is strictly convex in $W$: there is one answer, up to a shift of all
    biases, which moves no probability; and a rotation of the codes rotates it. Computed
    in float64 on the CPU by scikit-learn, over the classes that occur: a class without
    a code would push its bias down without end, and gets $-\infty$ and no weights.

    Args:
        codes: one a row; any fixed representation.
        labels: the class of each, from 0.
        num_classes: how many classes there are.
        ridge: $\lambda$, positive: with less than the data can separate, the weights
            would grow without end.

    Returns:
        The fitted :class:`Probe`.

    Raises:
        ValueError: no code, another number of labels, a label outside of the classes,
            codes or labels that are all the same, a code that is not finite, or a
            ``ridge`` that is not positive and finite.

    Source: Bishop (2006), section 4.3.4, for the model; Alain and Bengio (2017) for
    its use as a probe.
    """
    inputs.finite("codes", codes)
    if len(codes) < 2 or not 0 < ridge < math.inf:
        raise ValueError(
            "fit needs two or more codes, as many labels and a positive ridge, got "
            f"{len(codes)}, {len(labels)} and {ridge}"
        )
    if not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ValueError(
            f"labels must be from 0 to {num_classes - 1}, got {int(labels.min())} to "
            f"{int(labels.max())}"
        )
    codes, labels = codes.detach().cpu().double(), labels.cpu().long()
    loc = codes.mean(0)
    # one scale for all: one a coordinate would prefer the basis it is in; of the
    # largest, so that squares neither overflow nor vanish
    largest = (codes - loc).abs().amax()
    scale = largest * ((codes - loc) / largest).square().mean().sqrt()
    if not scale > 0:
        raise ValueError("codes must differ, got the same code in every row")
    classes = labels.unique()
    if len(classes) < 2:
        raise ValueError(
            f"labels must be of two or more classes, got {int(classes)} alone"
        )
    from sklearn.linear_model import LogisticRegression  # a second to import

    # For two classes sklearn keeps one row, 2w of ours (-w, w), so it is
    # penalised twice as much.
    pair = len(classes) == 2
    search = LogisticRegression(
        C=(1 + pair) / (ridge * len(codes)), solver="newton-cg", tol=1e-8
    )
    # the mean is taken out, so that weights and bias hardly pull on each other
    search.fit(((codes - loc) / scale).numpy(), labels.numpy())
    weight = loc.new_zeros(num_classes, len(loc))
    bias = loc.new_full((num_classes,), -torch.inf)
    for mine, theirs in ((weight, search.coef_), (bias, search.intercept_)):
        rows = torch.from_numpy(theirs)
        mine[classes] = torch.cat([-rows, rows]) / 2 if pair else rows
    return Probe(weight, bias, loc, scale)


@inputs.checked
def accuracy(predicted: Integer[Tensor, "n"], labels: Integer[Tensor, "n"]) -> Estimate:
    """Compute the share of right answers, with its standard error over examples.

    Args:
        predicted: a class for each example.
        labels: the right one.

    Returns:
        :class:`Estimate`, between 0 and 1.

    Raises:
        ValueError: fewer than two examples; see :meth:`Estimate.of`.
    """
    right = predicted.cpu() == labels.cpu()
    return Estimate.of(right.double())


class Result(NamedTuple):
    """A probe's accuracy on new codes, and the controls that use the same codes.

    Attributes:
        accuracy: of the probe.
        majority: share, among the new labels, of the class that is the most frequent
            in training.
        permuted: accuracy of a probe that was fitted to permuted labels.
    """

    accuracy: Estimate
    majority: Estimate
    permuted: Estimate

    @property
    def score(self) -> Tensor:
        """Return the accuracy on a scale where the majority is 0 and no error is 1."""
        return normalised(self.accuracy.mean, self.majority.mean)


@inputs.checked
def evaluate(
    codes: Float[Tensor, "n d"],
    labels: Integer[Tensor, "n"],
    new_codes: Float[Tensor, "m d"],
    new_labels: Integer[Tensor, "m"],
    *,
    num_classes: int = 10,
    ridge: float = 1e-3,
) -> Result:
    """Fit a probe and one on permuted labels, and measure both on new codes.

    Args:
        codes: to fit to.
        labels: of these.
        new_codes: to judge on.
        new_labels: of these.
        num_classes: how many classes there are.
        ridge: see :func:`fit`.

    Returns:
        :class:`Result`. The permutation is drawn from torch's global generator.

    Raises:
        ValueError: see :func:`fit` and :func:`accuracy`.

    Source: Hewitt and Liang (2019) for the idea of a control; theirs gives each word a
    label at random, this one permutes the labels of the examples.
    """
    # the control keeps codes, classes and their shares, not their relation
    shuffled = labels[torch.randperm(len(labels))]
    own, twin = (
        fit(codes, each, num_classes=num_classes, ridge=ridge)
        for each in (labels, shuffled)
    )
    # chosen in training: the new labels must not choose it
    largest = labels.long().bincount(minlength=num_classes).argmax()
    return Result(
        accuracy(own.predict(new_codes), new_labels),
        accuracy(largest.expand(len(new_labels)), new_labels),
        accuracy(twin.predict(new_codes), new_labels),
    )


@inputs.checked
def normalised(
    accuracy: float | Float[Tensor, "*#b"], majority: float | Float[Tensor, "*#b"]
) -> Float[Tensor, "*#b"]:
    r"""Rescale an accuracy, $(a-m)/(1-m)$: 0 for the largest class, 1 for no error.

    Args:
        accuracy: $a$, between 0 and 1.
        majority: $m$, between 0 and 1, and less than 1.

    Returns:
        At most 1; negative below the majority.

    Raises:
        ValueError: a majority that leaves nothing to predict.

    Source: Cohen (1960), with the majority's share for the agreement by chance.
    """
    a, m = (numeric.float64(each) for each in (accuracy, majority))
    if not inputs.every((m >= 0) & (m < 1)):
        raise ValueError(
            f"majority must be in [0, 1), got {m.flatten().tolist()}; with one class "
            "there is nothing to predict"
        )
    return (a - m) / (1 - m)


class Projection(NamedTuple):
    """A linear code, $z=(x-\\mu)P$: ``loc`` $\\mu$ and ``matrix`` $P$."""

    loc: Float[Tensor, "i"]
    matrix: Float[Tensor, "i d"]

    @inputs.checked
    def encode(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n d"]:
        """Return the code of each row."""
        if x.shape[1] != len(self.loc):
            raise ValueError(
                f"x must have {len(self.loc)} columns, as the examples that the "
                f"projection was made from, got {x.shape[1]}"
            )
        return (x.cpu().to(self.loc) - self.loc) @ self.matrix


@inputs.checked
def principal_components(x: Float[Tensor, "n i"], num_dims: int) -> Projection:
    """Find the first principal components, a control that learns from pixels alone.

    Args:
        x: examples, one a row.
        num_dims: how many components.

    Returns:
        :class:`Projection`, float64, orthonormal columns. Computed by scikit-learn,
        which settles their signs.

    Raises:
        ValueError: more components than rows or columns, or fewer than 1; a value that
            is not finite; or a single row.
    """
    _dims(num_dims, min(x.shape))
    inputs.finite("x", x)
    if len(x) < 2:
        raise ValueError("x must have two rows or more: one has no principal direction")
    from sklearn.decomposition import PCA  # a second to import

    pca = PCA(num_dims, svd_solver="full").fit(x.detach().cpu().double().numpy())
    return Projection(torch.from_numpy(pca.mean_), torch.from_numpy(pca.components_).mT)


@inputs.checked
def random_projection(x: Float[Tensor, "n i"], num_dims: int) -> Projection:
    """Draw random directions of unit length, a control that learns nothing.

    Args:
        x: examples, for their mean and size only.
        num_dims: how many directions, drawn from torch's global generator.

    Returns:
        :class:`Projection`, float64.

    Raises:
        ValueError: more directions than columns, or fewer than 1.
    """
    _dims(num_dims, x.shape[1])
    inputs.finite("x", x)
    # Gaussian entries have no preferred direction
    matrix = torch.randn(x.shape[1], num_dims, dtype=torch.float64)
    return Projection(x.detach().cpu().double().mean(0), normalize(matrix, dim=0))


def _dims(num_dims: int, most: int) -> None:
    if not 1 <= num_dims <= most:
        raise ValueError(f"num_dims must be from 1 to {most}, got {num_dims}")
