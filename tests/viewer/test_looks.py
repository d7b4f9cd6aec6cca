"""How the main pages look, at the width of a desk and of a phone; that they can be used by keyboard and read aloud."""
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Site

WIDTHS = (1200, 390)
PAGES = {"runs": "/", "run": "/run/{talk}", "plots": "/run/{talk}#plots",
         "transcript": "/run/{talk}/0", "compare": "/compare?a={talk}/0&b={talk}/1"}


@pytest.fixture(scope="module", params=WIDTHS)
def screen(request: pytest.FixtureRequest, browser: Browser, site: Site) -> object:
    """A page of a width, which has been let in."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": site.served.guard.cookie, "value": site.served.token, "url": site.home}])
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_did(screen: Page, site: Site, name: str, look: Callable[[Page, str], None]) -> None:
    screen.goto(site.home + PAGES[name].format(talk=site.talk))
    screen.wait_for_load_state("networkidle")
    if "#" in PAGES[name]:
        screen.evaluate("document.querySelector(location.hash).scrollIntoView()")
        screen.wait_for_load_state("networkidle")
    look(screen, name)


@pytest.mark.parametrize("name", [n for n, path in PAGES.items() if "#" not in path])
def test_a_page_can_be_read_aloud_and_used_by_keyboard(screen: Page, site: Site, name: str) -> None:
    """One heading, landmarks, a name for every control and picture; the first stop of the tabulator leads past the bar."""
    screen.goto(site.home + PAGES[name].format(talk=site.talk))
    assert screen.locator("h1").count() == 1 and screen.locator("main").count() == 1 and screen.locator("html[lang]").count() == 1
    nameless = screen.evaluate("""() => [...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]
        .filter(e => !e.labels.length && !e.ariaLabel).map(e => e.outerHTML)""")
    assert nameless == [] and screen.locator("img:not([alt]), img[alt='']").count() == 0
    assert screen.locator("th:not([scope])").count() == 0
    screen.keyboard.press("Tab")
    expect(screen.locator(":focus")).to_have_text("Skip to the content")
    screen.keyboard.press("Enter")
    expect(screen.locator("main:focus")).to_have_count(1)


def test_dark_is_dark_and_can_be_read(browser: Browser, site: Site) -> None:
    context = browser.new_context(color_scheme="dark")
    context.add_cookies([{"name": site.served.guard.cookie, "value": site.served.token, "url": site.home}])
    page = context.new_page()
    page.goto(f"{site.home}/run/{site.talk}")
    ink, paper = (sum(map(int, page.evaluate(f"getComputedStyle(document.body).{of}").strip("rgb()").split(",")))
                  for of in ("color", "backgroundColor"))
    assert paper < 100 and ink > 600
    page.locator("#payoffs img").scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#payoffs img').currentSrc.endsWith('?dark')")
    context.close()
