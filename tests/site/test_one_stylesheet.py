"""The joined stylesheet: every page's order is kept, and only what is unused goes."""

from pathlib import Path

import pytest
from built import SITE

from _ext.pages.one_stylesheet import JOINED, in_order, without_unused


def test_the_order_of_each_page_is_the_order_of_all():
    a, b, c, d = map(Path, "abcd")
    merged = in_order([[a, c], [a, b, d], [b, c, d]])
    assert sorted(merged) == [a, b, c, d]
    for pair in ((a, b), (b, c), (c, d)):
        assert merged.index(pair[0]) < merged.index(pair[1])


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".used{color:red}", ".used{color:red}"),
        (".gone{color:red}", ""),
        (".used,.gone{color:red}", ".used{color:red}"),
        (".used .gone{color:red}", ""),
        ("p{color:red}", "p{color:red}"),
        ("@media print{.gone{a:b}.used{a:b}}", "@media print{.used{a:b}}"),
        ("@font-face{src:url(x.woff2)}", "@font-face{src:url(x.woff2)}"),
        (":is(.used,.gone) b{a:b}", ":is(.used,.gone) b{a:b}"),
        (".sharp\\:x{a:b}", ""),
    ],
)
def test_a_rule_stays_where_each_of_its_classes_may_occur(css, left):
    assert without_unused(css, {"used"}) == left


def test_the_site_has_one_stylesheet_and_what_it_asks_for_is_there():
    css = (SITE / JOINED).read_text(encoding="utf-8")
    assert css.count("{") == css.count("}") > 500
    names = [part.split(")")[0].strip("\"'") for part in css.split("url(")[1:]]
    files = [name for name in names if not name.startswith(("data:", "#"))]
    assert any(name.endswith(".woff2") for name in files)
    for name in files:
        assert (SITE / JOINED).parent.joinpath(name.split("?")[0]).is_file(), name
