"""A table is one on the site and in plain text, and what it says is not markup."""

from html.parser import HTMLParser

import pytest

from jensengap import plot


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.tag = {"th": [], "td": [], "p": []}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tag = tag

    def handle_data(self, data):
        self.found[self.tag].append(data)


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(plot, "display", lambda bundle, raw: bundles.append(bundle))

    def show(*given):
        plot.table(*given)
        bundle = bundles.pop()
        return bundle["text/plain"], Cells(bundle["text/html"]).found

    return show


def test_cells_notes_and_columns_are_where_they_belong(shown):
    plain, found = shown(["a", "long"], [["one", "2"], ["x", "3.5"]], ["And so on."])
    assert plain.splitlines() == ["a    long", "one  2", "x    3.5", "And so on."]
    assert found == {
        "th": ["a", "long"],
        "td": ["one", "2", "x", "3.5"],
        "p": ["And so on."],
    }


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("-1.5", "−1.5"),
        ("-120.3 (-121.0 to -.5)", "−120.3 (−121.0 to −.5)"),
        ("2026-11-24", "2026-11-24"),
        ("0.28.0-cpu", "0.28.0-cpu"),
        ("well-kept", "well-kept"),
    ],
)
def test_only_a_hyphen_before_a_number_is_a_minus(shown, given, read):
    plain, found = shown(["v"], [[given]])
    assert plain.splitlines()[1] == read
    assert found["td"] == [read]


def test_text_is_text(shown):
    _, found = shown(["k < 5"], [["<b>a</b> & b"]])
    assert found["th"] == ["k < 5"]
    assert found["td"] == ["<b>a</b> & b"]


def test_a_table_without_rows_has_its_head(shown):
    plain, found = shown(["a", "b"], [])
    assert plain == "a  b"
    assert found == {"th": ["a", "b"], "td": [], "p": []}


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 cells, as the head has, got 1"):
        plot.table(["a", "b"], [["only"]])
