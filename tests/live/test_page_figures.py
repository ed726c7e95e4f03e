"""Figures that move, in a browser: by mouse, keyboard and touch, and in bad weather."""

import base64
import io
import re

import pytest
import torch
from matplotlib.image import imread
from opened import opened, redrawn, written
from shell import kernel

from jensengap import figures, nets, plot, recipes, ring
from jensengap.live import latent_plane, ring_game

SIDE = 6
ALT = "a plane & a picture"
PICTURE = "element => element.toDataURL()"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = recipes.digit_vae(2, 8, SIDE * SIDE)
    with torch.no_grad():  # a picture that changes visibly with the point
        made.decoder.net[-1].weight *= 5
    return made


@pytest.fixture(scope="module")
def markups(model, tmp_path_factory):
    """A decoder, a game, and frames drawn in advance."""
    torch.manual_seed(1)
    codes, labels = torch.randn(40, 2), torch.arange(40) % 3
    players = nets.mlp(2, 8, 1), nets.mlp(2, 8, 2)
    rules = ring.Rules(batch=8, points=80, enough=1)
    fig, ax = plot.figure(4.0, 2.0)
    (line,) = ax.plot([0, 1], [0, 1])
    ax.set(ylim=(-3, 3))
    with kernel(tmp_path_factory.mktemp("shell")) as cell:
        latent_plane.show(model, codes, labels, alt=ALT, caption="look")
        ring_game.show(*players, rules, alt="a ring of points", still=2)
        figures.moving(
            fig,
            lambda height, tilt: line.set_ydata([height, height + tilt]),
            {"height": [-1.0, 0.0, 1.0, 2.0], "tilt": [0.0, 1.0]},
            alt="a line",
        )
    return dict(
        zip(
            ("decoder", "game", "frames"),
            (output.data["text/html"] for output in cell.outputs),
            strict=True,
        )
    )


@pytest.fixture
def page(browser, markups, tmp_path):
    """All three on one page; nothing may be complained of or asked for."""
    path = written(tmp_path, *markups.values())
    with opened(browser, path) as watched:
        yield watched.page
    assert watched.complaints == []
    assert watched.requests == [path.as_uri()]


def picture(page, name):
    return page.locator(name).evaluate(PICTURE)


def pixels(page):
    """How much ink the picture has in each of its pixels."""
    address = picture(page, ".jg-picture")
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return torch.from_numpy(imread(io.BytesIO(data))[..., 3]).flatten()


def place(page):
    return page.locator(".jg-decoder input").evaluate_all(
        "inputs => inputs.map(input => input.valueAsNumber)"
    )


def mean(model, z):
    with torch.no_grad():
        return model.decode(torch.tensor([z])).mean[0]


def test_scripts_open_the_stage_and_put_the_still_picture_away(page):
    for name in (".jg-decoder", ".jg-arena"):
        assert page.locator(f"{name} .jg-stage").is_visible()
        assert page.locator(f"{name} .jg-still").is_hidden()
        assert page.locator(f"{name} .jg-message").is_hidden()


def test_the_picture_in_the_page_is_the_mean_that_torch_decodes(page, model):
    for z in ((0.0, 0.0), (1.5, -2.0), (-3.5, 3.5)):
        for slider, value in zip(
            page.locator(".jg-decoder input").all(), z, strict=True
        ):
            slider.fill(str(value))
        redrawn(page)
        assert float((pixels(page) - mean(model, z)).abs().max()) < 0.01


def test_the_point_is_dragged_by_mouse_and_the_picture_follows(page, model):
    pad = page.locator(".jg-pad")
    pad.scroll_into_view_if_needed()
    box, before = pad.bounding_box(), picture(page, ".jg-picture")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 6 / 7, box["y"] + box["height"] * 2 / 7)
    redrawn(page)
    page.mouse.up()
    assert place(page) == pytest.approx([2.5, 1.5], abs=0.051)
    assert picture(page, ".jg-picture") != before
    assert float((pixels(page) - mean(model, place(page))).abs().max()) < 0.01
    page.mouse.move(box["x"] + 5, box["y"] + 5)  # not held any more
    redrawn(page)
    assert place(page) == pytest.approx([2.5, 1.5], abs=0.051)


def test_the_point_is_moved_by_arrow_keys_further_with_shift_and_home(page):
    pad, seen = page.locator(".jg-pad"), []
    pad.focus()
    for key, wanted in (
        ("ArrowRight", [0.1, 0.0]),
        ("ArrowUp", [0.1, 0.1]),
        ("Shift+ArrowLeft", [-0.4, 0.1]),
        ("Shift+ArrowDown", [-0.4, -0.4]),
        ("Home", [0.0, 0.0]),
    ):
        page.keyboard.press(key)
        redrawn(page)
        assert place(page) == pytest.approx(wanted)
        seen.append((picture(page, ".jg-pad"), picture(page, ".jg-picture")))
    assert len(set(seen)) == 5
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
        redrawn(page)
    assert place(page) == pytest.approx([3.5, 0.0])  # the plane's edge holds
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    style = pad.evaluate("element => getComputedStyle(element).outline")
    assert "solid 2px" in style  # one sees where one is
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"


def test_a_slider_says_its_value_and_the_picture_says_where_it_is(page):
    slider = page.locator(".jg-decoder input").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    redrawn(page)
    assert slider.get_attribute("aria-valuetext") == "−0.05"
    assert page.locator(".jg-decoder output").first.inner_text() == "−0.05"
    words = page.locator(".jg-picture").get_attribute("aria-label")
    assert words.startswith("Decoded from z₁ = −0.05, z₂ = 0.00; nearest code: ")


def test_a_finger_moves_the_point_on_the_pad_and_scrolls_the_page_beside_it(
    browser, markups, tmp_path
):
    path = written(tmp_path, *markups.values())
    settings = {"viewport": {"width": 390, "height": 700}, "has_touch": True}
    with opened(browser, path, **settings) as watched:
        page = watched.page
        box = page.locator(".jg-pad").bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 7, box["y"] + box["height"] / 7)
        redrawn(page)
        assert place(page) == pytest.approx([-2.5, 2.5], abs=0.051)
        asked = "element => getComputedStyle(element).touchAction"
        assert page.locator(".jg-pad").evaluate(asked) == "none"
        for other in (".jg-picture", ".jg-field", ".jg-decoder", "body"):
            assert page.locator(other).evaluate(asked) == "auto"
    assert watched.complaints == []


def count(page):
    return [int(text) for text in page.locator(".jg-count").all_inner_texts()]


def test_nothing_starts_by_itself(page):
    page.locator(".jg-field").scroll_into_view_if_needed()
    before = picture(page, ".jg-field"), count(page)
    page.wait_for_timeout(200)
    assert (picture(page, ".jg-field"), count(page)) == before
    assert before[1][0] == 0


def test_the_game_trains_pauses_steps_and_begins_again(page):
    start = page.get_by_role("button", name="Start")
    page.locator(".jg-field").scroll_into_view_if_needed()
    first = picture(page, ".jg-field")
    start.click()
    page.wait_for_function("+document.querySelector('.jg-count').textContent > 30")
    page.get_by_role("button", name="Pause").click()
    stopped, later = count(page)[0], picture(page, ".jg-field")
    assert later != first
    redrawn(page, 5)
    assert count(page)[0] == stopped
    page.locator(".jg-arena").get_by_role("button", name="Step").press("Enter")
    assert count(page)[0] == stopped + 1
    assert picture(page, ".jg-field") != later
    page.get_by_role("button", name="Reset").press("Space")
    assert count(page)[0] == 0
    assert picture(page, ".jg-field") == first


def after_steps(page, num):
    for _ in range(num):
        page.locator(".jg-arena").get_by_role("button", name="Step").click()
    return picture(page, ".jg-field")


def test_a_run_is_repeated_after_a_reset_and_another_ratio_makes_another(page):
    once = after_steps(page, 12)
    page.get_by_role("button", name="Reset").click()
    assert after_steps(page, 12) == once
    page.get_by_role("button", name="Reset").click()
    page.locator(".jg-arena input").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".jg-arena output").inner_text() == "0.3 ×"
    assert after_steps(page, 12) != once


def test_out_of_sight_the_game_waits(page):
    page.locator(".jg-field").scroll_into_view_if_needed()
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("+document.querySelector('.jg-count').textContent > 5")
    page.evaluate("document.querySelector('.jg-arena').style.marginTop = '5000px'")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(200)
    waiting = count(page)[0]
    page.wait_for_timeout(200)
    assert count(page)[0] == waiting
    page.locator(".jg-field").scroll_into_view_if_needed()
    page.wait_for_function(
        "steps => +document.querySelector('.jg-count').textContent > steps", arg=waiting
    )


def test_pictures_follow_the_theme_when_it_is_toggled(page):
    names = (".jg-pad", ".jg-picture", ".jg-field", ".jg-chart")
    light = [picture(page, name) for name in names]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    redrawn(page)
    dark = [picture(page, name) for name in names]
    assert all(one != other for one, other in zip(light, dark, strict=True))
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    redrawn(page)
    assert [picture(page, name) for name in names] == light


def test_pictures_are_as_sharp_as_the_screen(browser, markups, tmp_path):
    path = written(tmp_path, *markups.values())
    with opened(browser, path, device_scale_factor=3) as watched:
        for name in (".jg-pad", ".jg-field", ".jg-chart"):
            width, shown = watched.page.locator(name).evaluate(
                "element => [element.width, element.clientWidth]"
            )
            assert width == pytest.approx(3 * shown, abs=1)
    assert watched.complaints == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda m: re.sub(r'"base64":".', '"base64":"?', m), "are not base64"),
        (lambda m: re.sub(r'"base64":"....', '"base64":"QQQQ', m), "checksum"),
        (lambda m: re.sub(r'("base64":")....', r"\1", m), "bytes were wanted"),
        (lambda m: re.sub(r'"base64":".*?</script>', "</script>", m), "cut short"),
    ],
)
@pytest.mark.parametrize("name", ["decoder", "game"])
def test_damaged_data_are_told_in_the_figure_and_harm_nothing_else(
    browser, markups, tmp_path, name, harm, said
):
    harmed = markups | {name: harm(markups[name])}
    assert harmed[name] != markups[name]
    with opened(browser, written(tmp_path, *harmed.values())) as watched:
        page = watched.page
        whole, broken = (".jg-arena", ".jg-decoder")[:: 1 if name == "decoder" else -1]
        message = page.locator(f"{broken} .jg-message")
        assert message.is_visible()
        assert message.inner_text().startswith("This figure cannot move: ")
        assert said in message.inner_text()
        assert page.locator(f"{broken} .jg-still svg").is_visible()
        assert page.locator(f"{broken} .jg-stage").is_hidden()
        assert page.locator(f"{whole} .jg-stage").is_visible()
        assert page.locator(f"{whole} .jg-message").is_hidden()
    assert watched.complaints == []


def test_a_game_that_leaves_all_bounds_is_stopped_and_says_so(
    browser, markups, tmp_path
):
    wild = re.sub(r'"rate":[\d.]+', '"rate":1e300', markups["game"])
    assert wild != markups["game"]
    with opened(browser, written(tmp_path, wild)) as watched:
        page = watched.page
        page.locator(".jg-arena").get_by_role("button", name="Start").click()
        message = page.locator(".jg-message")
        message.wait_for(state="visible")
        assert "left all bounds at step" in message.inner_text()
        assert page.locator(".jg-still svg").is_visible()
        redrawn(page, 5)
    assert watched.complaints == []


def test_a_figure_works_where_the_book_has_no_say_about_its_style(
    browser, markups, tmp_path
):
    path = tmp_path / "bare.html"
    path.write_text(f'<meta charset="utf-8">{markups["decoder"]}', encoding="utf-8")
    with opened(browser, path, device_scale_factor=2) as watched:
        pad = watched.page.locator(".jg-pad")
        box = pad.bounding_box()
        redrawn(watched.page, 10)
        assert pad.bounding_box() == box
        before = picture(watched.page, ".jg-picture")
        pad.press("Shift+ArrowUp")
        redrawn(watched.page)
        assert picture(watched.page, ".jg-picture") != before


def test_without_scripts_the_still_picture_and_a_sentence_remain(
    browser, markups, tmp_path
):
    path = written(tmp_path, *markups.values())
    with opened(browser, path, java_script_enabled=False) as watched:
        for name in (".jg-decoder", ".jg-arena"):
            figure = watched.page.locator(name)
            assert figure.locator(".jg-still svg").is_visible()
            assert figure.locator(".jg-stage").is_hidden()
            assert figure.locator("noscript p").is_visible()
            words = figure.locator("noscript p").inner_text()
            assert words == "A still picture: the live model needs scripts."
        frames = watched.page.locator(".jg-moving")
        assert frames.locator("svg").is_visible()
        assert frames.locator("noscript p").is_visible()
        assert frames.locator("button").is_hidden()
    assert watched.requests == [path.as_uri()]


def test_a_page_is_printed_with_the_still_pictures(page):
    page.emulate_media(media="print")
    for name in (".jg-decoder", ".jg-arena"):
        assert page.locator(f"{name} .jg-still svg").is_visible()
        assert page.locator(f"{name} .jg-stage").is_hidden()


BOXES = """() => [...document.querySelectorAll("canvas, input, button, output")]
  .filter(each => each.offsetParent).map(each => {
    const {left, right, height} = each.getBoundingClientRect();
    return [left, right, each.matches("input, button") ? height : 44];
  })"""


def test_a_small_screen_shows_all_of_it_and_does_not_scroll_sideways(
    browser, markups, tmp_path
):
    path = written(tmp_path, *markups.values())
    with opened(browser, path, viewport={"width": 320, "height": 640}) as watched:
        page = watched.page
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 640})
            redrawn(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            boxes = page.evaluate(BOXES)
            assert len(boxes) > 15
            for left, right, height in boxes:
                assert 0 <= left < right <= width
                assert height >= 44  # a finger needs room
    assert watched.complaints == []


def test_two_figures_of_a_kind_share_the_scripts_and_nothing_else(
    browser, markups, tmp_path
):
    second = markups["decoder"].replace('id="d', 'id="e').replace('open("d', 'open("e')
    path = written(tmp_path, markups["decoder"], second)
    with opened(browser, path) as watched:
        pads = watched.page.locator(".jg-pad").all()
        before = [pad.evaluate(PICTURE) for pad in pads]
        pads[1].focus()
        watched.page.keyboard.press("ArrowUp")
        redrawn(watched.page)
        after = [pad.evaluate(PICTURE) for pad in pads]
        assert after[0] == before[0]
        assert after[1] != before[1]
    assert watched.complaints == []


def drawn(page):
    return page.locator(".jg-moving svg").inner_html()


def test_frames_play_to_the_end_of_the_first_slider_and_stop(page):
    first, second = page.locator(".jg-moving input").all()
    button = page.locator(".jg-moving button")
    assert button.inner_text() == "Play"
    before = drawn(page)
    button.click()
    assert button.inner_text() == "Pause"
    page.wait_for_function(
        "document.querySelector('.jg-moving button').textContent === 'Play'"
    )
    assert (first.input_value(), second.input_value()) == ("3", "1")
    assert drawn(page) != before
    button.press("Enter")  # from its end it begins at the beginning
    assert first.input_value() == "0"
    button.press("Enter")
    assert button.inner_text() == "Play"
    held = first.input_value()
    page.wait_for_timeout(700)
    assert first.input_value() == held


def test_a_hand_on_a_slider_ends_the_play(page):
    button = page.locator(".jg-moving button")
    button.click()
    page.locator(".jg-moving input").last.press("ArrowLeft")
    assert button.inner_text() == "Play"


def test_frames_step_as_calmly_where_motion_is_reduced(browser, markups, tmp_path):
    path = written(tmp_path, markups["frames"])
    with opened(browser, path, reduced_motion="reduce") as watched:
        page = watched.page
        page.wait_for_timeout(400)
        assert page.locator(".jg-moving input").first.input_value() == "2"
        page.locator(".jg-moving button").click()
        page.wait_for_function(
            "document.querySelector('.jg-moving input').value === '3'"
        )
        assert page.evaluate("document.getAnimations().length") == 0
    assert watched.complaints == []


def test_frames_are_printed_in_the_middle_and_stand_again_afterwards(page):
    slider = page.locator(".jg-moving input").first
    middle = drawn(page)
    slider.fill("0")
    moved = drawn(page)
    assert moved != middle
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert drawn(page) == middle
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert drawn(page) == moved
