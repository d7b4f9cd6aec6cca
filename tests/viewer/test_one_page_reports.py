"""The one-page reports of `parlour fidelity`: on paper and on a dark screen, wide and narrow, needing nothing from outside."""
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from parlour.experiments.cli import main


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    asked = {"fidelity": ["--truth", "ideal", "--simulator", 'step={"agent":"updater","framing":{"reversed":1.2}}',
                          "--thresholds", "0.2,0.3,0.4,0.5,0.6,0.7,0.8", "--priors", "0.4"],
             "people": ["--truth", "humans:charness_rabin", "--simulator", "mock", "--repeats", "2"]}
    for name, given in asked.items():
        assert main(["fidelity", *given, "--store", str(folder / "s.duckdb"), "--page", str(folder / f"{name}.html")]) == 0
    return {name: folder / f"{name}.html" for name in asked}


@pytest.mark.parametrize("name", ["fidelity", "people"])
def test_a_report_follows_the_screen(browser: Browser, pages: dict[str, Path], name: str) -> None:
    """Ink and paper change places in the dark, and so does the picture; nothing is wider than a phone, nothing is fetched."""
    seen, pictures = {}, {}
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]  # a literal
        page, fetched = context.new_page(), []
        page.on("request", lambda request, fetched=fetched: fetched.append(request.url))
        page.goto(pages[name].as_uri())
        seen[scheme] = [sum(map(int, page.evaluate(f"getComputedStyle(document.body).{of}").strip("rgb()").split(",")))
                        for of in ("color", "backgroundColor")]
        pictures[scheme] = page.evaluate("document.querySelector('img').currentSrc")
        assert page.evaluate("document.querySelector('img').naturalWidth") > 500
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("h1").count() == 1 and page.locator("th:not([scope])").count() == 0
        assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
        context.close()
    (ink, paper), (chalk, board) = seen["light"], seen["dark"]
    assert ink < 100 < 600 < paper and board < 100 < 600 < chalk
    assert pictures["light"] != pictures["dark"]


def test_the_report_shows_what_moves_the_threshold(browser: Browser, pages: dict[str, Path]) -> None:
    """A step that the order moves by 1.2 logits: an sd of .6 over orders, in a bracket, and none over wordings or labels."""
    page = browser.new_page()
    page.goto(pages["fidelity"].as_uri())
    table = page.locator("h2", has_text="What moves the threshold").locator("xpath=following-sibling::div[1]")
    cells = table.locator("tr", has_text="simulator step").locator("td").all_inner_texts()
    for cell, true in zip(cells, (0.0, 0.6, 0.0, None, 1.2, 0.0, None), strict=True):
        if true is None:
            assert cell.strip() == "-"  # what did not vary
            continue
        middle, low, high = (float(x) for x in re.findall(r"-?\d+\.\d+", cell))
        assert "[" in cell and low <= true <= high and (low > 0.2 if true else middle == 0)
    page.close()
