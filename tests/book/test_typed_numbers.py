"""No page types a number that was measured; it inserts what a cell has asserted."""

import pytest
import spoken
from typed_numbers import in_formula, in_text

from tools.book.toc import pages


@pytest.mark.parametrize("page", pages())
def test_no_page_types_a_measurement(page):
    texts, formulas = spoken.said(page)
    found = [(number, text) for text in texts for number in in_text(text)]
    found += [(number, text) for text in formulas for number in in_formula(text)]
    assert not found, "glue what was measured; write a parameter as a formula, $0.5$"


@pytest.mark.parametrize(
    "text",
    [
        "It reached 0.913 in the end.",
        "The bound is 14.2 nats below.",
        "It is off by 1.24 ± .2 here.",
        "a gap of .5",
        "from −112.3 to (0.71)",
        "about 81 nats",
        "81 nats",
        "40 %, or 40% of them",
        "ten worst account for 68 per cent",
        "12 seconds on two cores",
        "3 times faster than luck",
        "3× the variance",
        "a 10-fold gain",
        "5 MB and 1,200 ms",
        "≈ 81 of them, ± 2",
        "it took 1e6 samples",
        "it took 10¹² samples",
        "within 4 standard errors",
        "a loss of $81$ nats",
        "a loss of $81.5$ nats",
    ],
)
def test_a_measurement_is_recognised_in_text(text):
    (whole,) = spoken.in_markdown(text)[0]
    assert in_text(whole), whole


@pytest.mark.parametrize(
    "text",
    [
        "an image of 784 pixels, one of 5,000 of the 70,000 digits",
        "with 128 and with 400 hidden units",
        "The 21 climbs end at three places, not two.",
        "at temperature $0.5$ and a width of $0.9$ nobody knows",
        "with $w=1.7$, $b=0.3$ and a floor of $\\lambda=0.5$ nats",
        "a tolerance of $10^{-12}$ nats",
        "The bound is {glue:text}`training-elbo` nats, see {eq}`eq-a-0.5`.",
        "the cells run in half a minute; three times as long on one core",
        "a grid of 28 × 28 pixels, or 28×28",
        "Steps 1 to 3, the same 12 samples, theorem 2 states",
        "call `f(0.5)` or [see](page-0.5.html)",
        "{cite:t}`burda2016`, eq. 4.1; theorem 2.5, section 3.1.2; CC BY 4.0",
    ],
)
def test_a_parameter_a_count_and_a_reference_are_no_measurements(text):
    (whole,) = spoken.in_markdown(text)[0]
    assert not in_text(whole), whole


@pytest.mark.parametrize(
    "formula",
    [
        r"\log p \approx -1.91",
        r"x\approx 14",
        r"k \simeq 3\times 10^{5}",
        r"\mathrm{KL}\sim 14\,\text{nats}",
        r"81.5 \pm 0.2",
        r"81 \pm .2",
        r"\mathrm{ELBO} = -2.369",
        r"V = -0.82707",
        r"14\,\text{nats}",
        r"≈ 3",
    ],
)
def test_a_measurement_is_recognised_in_a_formula(formula):
    assert in_formula(formula)


@pytest.mark.parametrize(
    "formula",
    [
        r"w=1.7,\; b=0.3,\; s=0.8",
        r"10^{-12}",
        r"\omega \approx 1/\sigma",
        r"V \approx 2\mu^2",
        r"z\sim\Normal(0,1)",
        r"z = \pm 1",
        r"\mu \pm 2\sigma",
        r"\tfrac12\log 2\pi - 784\log 2",
        r"q = \Normal(0.4,\,0.55^2)",
        r"0.0625",
    ],
)
def test_the_parameters_of_a_formula_are_no_measurements(formula):
    assert not in_formula(formula)


def test_what_stands_in_blocks_is_read_and_code_labels_and_options_are_not():
    page = """
:::{admonition} A title of 1.5
:class: wide-2.5

A text of 3.5.
```{math}
:label: eq-4.5
x = 5.5
```
```{code-cell} ipython3
y = 6.5
```
:::

| a | 7.5 |
|---|---|

```{figure} path-8.5.svg
:alt: options 9.5

A caption of 10.5.
```

```{solution-start} ex-11.5
```
"""
    texts, formulas = spoken.in_markdown(page)
    numbers = [number for text in texts for number in in_text(text)]
    assert numbers == ["1.5", "3.5", "7.5", "10.5"]
    assert formulas == ["x = 5.5\n"]


def test_captions_and_alt_texts_are_read(monkeypatch):
    typed = ["off by 0.1", "at σ² = 0.1, s=8.", "reaches −81.25, or = −81.25"]
    monkeypatch.setattr(spoken, "captions", lambda page: typed)
    texts, formulas = spoken.said("notation")
    assert [n for text in texts for n in in_text(text)] == ["0.1", "81.25"]
    assert [n for formula in formulas for n in in_formula(formula)] == ["81.25"]


def test_captions_and_alt_texts_are_found():
    words = spoken.captions("gan/minimax")
    assert "The same players, three seeds, and two losses for the forger." in words
    assert any(text.startswith("Two panels with two bells each") for text in words)
