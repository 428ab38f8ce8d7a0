"""The page in a real browser, as its reader has it: our script runs and no other, and pointing names the trial."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ElementHandle, Page, sync_playwright

from tasks.report.page.page import SCRIPT, page
from tests.report.example_records import curves_of, example
from tests.report.odd_records import hostile

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    record = example("promote")
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(page(record, curves_of(record)))
    return file


@pytest.fixture
def shown(browser: Browser, report: Path) -> Iterator[Page]:
    with opened(browser, report) as tab:
        yield tab


@contextmanager
def opened(browser: Browser, file: Path, **options: object) -> Iterator[Page]:
    """The file in a window of its own; afterwards nothing may have gone wrong in it, and nothing have been fetched."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, **options)  # type: ignore[arg-type]
    tab, wrong, fetched = context.new_page(), [], []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("request", lambda request: fetched.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    context.close()
    assert wrong == []
    assert fetched == [file.as_uri()]


def scrolled_to(tab: Page, selector: str) -> ElementHandle:
    """The first such element, in view; what the browser tells of scrolling has been told."""
    element = tab.query_selector(selector)
    assert element is not None
    element.scroll_into_view_if_needed()
    tab.evaluate("() => new Promise(told => requestAnimationFrame(() => requestAnimationFrame(told)))")
    return element


def mark_of(tab: Page, plot: str) -> tuple[ElementHandle, str]:
    """A trial's mark in that picture, scrolled to, and the trial's name."""
    mark = scrolled_to(tab, f"#picture-{plot} svg use[data-t]")
    name = mark.get_attribute("data-t")
    assert name
    return mark, name


def point_at(tab: Page, mark: ElementHandle) -> None:
    box = mark.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def unscripted(browser: Browser, file: Path) -> None:
    """Opens the file and sees that no script has run."""
    with opened(browser, file) as tab:
        assert tab.title() != "run"
        assert tab.query_selector("#tip") is None


def lit(tab: Page) -> set[str]:
    """The trials that are lit now."""
    return set(tab.eval_on_selector_all(".hit", "all => all.map(e => e.dataset.t)"))


def test_pointing_at_a_mark_names_its_trial_and_lights_it_in_every_picture_and_table(shown: Page) -> None:
    mark, name = mark_of(shown, "axis")
    assert shown.is_hidden("#tip")
    point_at(shown, mark)
    assert name in shown.inner_text("#tip")
    assert lit(shown) == {name}
    assert len(shown.query_selector_all(".hit")) == len(shown.query_selector_all(f'[data-t="{name}"]')) > 2
    shown.mouse.move(2, 2)
    assert shown.is_hidden("#tip")
    assert lit(shown) == set()


def test_a_curve_names_its_trial(shown: Page) -> None:
    curve = scrolled_to(shown, "#picture-curves svg g.curve[data-t] path")
    x, y = curve.evaluate(
        "c => { const p = c.getPointAtLength(c.getTotalLength() / 2).matrixTransform(c.getScreenCTM());"
        " return [p.x, p.y] }"
    )
    shown.mouse.move(x, y)
    assert shown.is_visible("#tip")
    (name,) = lit(shown)
    assert name in shown.inner_text("#tip")


def test_a_click_holds_the_trial_until_escape(shown: Page) -> None:
    mark, name = mark_of(shown, "axis")
    point_at(shown, mark)
    shown.mouse.down()
    shown.mouse.up()
    shown.mouse.move(2, 2)
    assert lit(shown) == {name}
    shown.keyboard.press("Escape")
    assert lit(shown) == set()


def test_a_trial_can_be_reached_by_keys_alone(shown: Page) -> None:
    for _ in range(200):
        shown.keyboard.press("Tab")
        if lit(shown):
            break
    (name,) = lit(shown)
    assert shown.evaluate("document.activeElement.dataset.t") == name


def test_the_button_copies_the_next_command_as_it_stands_there(browser: Browser, report: Path) -> None:
    with opened(browser, report, permissions=["clipboard-read", "clipboard-write"]) as tab:
        block = tab.locator(".command").first
        block.locator("button").click()
        tab.wait_for_selector("text=Copied")
        assert tab.evaluate("navigator.clipboard.readText()") == block.locator("pre").inner_text()


def test_without_scripts_the_page_still_says_what_a_mark_is(browser: Browser, report: Path) -> None:
    with opened(browser, report, java_script_enabled=False) as tab:
        titles = tab.locator("#picture-axis svg use[data-t]").first.locator("title")
        assert titles.count() == 1
        assert tab.locator(".word").first.inner_text().lower() == "promote"


@pytest.mark.prose
def test_the_browser_runs_no_script_but_ours(browser: Browser, report: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.html"
    changed.write_text(report.read_text().replace(SCRIPT, SCRIPT + "document.title = 'run';"))
    with pytest.raises(AssertionError, match="Content Security Policy"):
        unscripted(browser, changed)


def test_what_a_hostile_name_says_is_shown_and_not_run(browser: Browser, tmp_path: Path) -> None:
    record, file = hostile(), tmp_path / "hostile.html"
    file.write_text(page(record, curves_of(record), record_path="<script>"))
    with opened(browser, file) as tab:
        assert "javascript:alert(1)" in tab.inner_text("body")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_modes(browser: Browser, report: Path, scheme: str) -> None:
    with opened(browser, report, color_scheme=scheme) as tab:
        ground, text = (tab.evaluate(_LUMINANCE, part) for part in ("background-color", "color"))
        assert (ground > text) == (scheme == "light")
        assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) > 7  # WCAG 2.2, level AAA


def test_the_page_fits_the_window_of_a_phone(browser: Browser, report: Path) -> None:
    with opened(browser, report) as tab:
        tab.set_viewport_size({"width": 390, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390


# The relative luminance of a colour of the page's body, by WCAG's formula.
_LUMINANCE = """part => {
  const seen = [document.body, document.documentElement].map(e => getComputedStyle(e).getPropertyValue(part))
    .find(c => c !== "rgba(0, 0, 0, 0)");
  const [r, g, b] = seen.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""
