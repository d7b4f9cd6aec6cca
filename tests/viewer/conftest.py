"""A store with what the pages must be able to show, a server over it, and a browser. The suite fails without a browser."""
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

import parlour
from parlour.transcripts.journal import Journal
from parlour.transcripts.store import Store
from parlour.viewer.server import Served, serving

LOOKS, PICTURES = Path(__file__).parent / "looks", Path(__file__).parents[2] / "docs" / "pictures"
TALL, BLOCKS = 720, (30, 18)
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
EVIL = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"></pre><b onclick='x'>"
TALK: dict[str, Any] = {
    "name": "talk", "seed": 5, "episodes": 16, "wordings": "all", "game": {"name": "email", "harm": 1.0}, "protocol": "advice",
    "attempts": 2, "seats": {"ai": "strategy"},
    "arms": [{"name": "follow", "seats": {"human": "always_follow"}},
             {"name": "mock", "seats": {"human": {"agent": "mock", "faults": {"kinds": ["malformed", "refusal"], "rate": 0.3}}}}],
    "hypotheses": [{"name": "following pays", "role": "human", "arms": ["follow", "mock"], "alternative": "greater"}],
}
HOSTILE: dict[str, Any] = {
    "name": "hostile", "seed": 1, "episodes": 1, "game": "email", "protocol": "advice", "seats": {"ai": "strategy"},
    "arms": [{"name": "<b>bold</b>", "seats": {"human": {"agent": "recording", "words": [
                  json.dumps({"question": EVIL}), json.dumps({"reasoning": EVIL, "action": "A"})]}}},
             {"name": "spoiled", "seats": {"human": {"agent": "recording", "words": [EVIL]}}}],
}
OTHER: dict[str, Any] = {**TALK, "name": "other", "arms": [{"name": "follow", "seats": {"human": "never_follow"}}], "hypotheses": []}
CONTRACTS: dict[str, Any] = {"name": "contracts", "episodes": 4, "game": "text_contract",
                             "seats": {"principal": "strategy", "agent": "mock"}}
ROUNDS: dict[str, Any] = {
    "name": "rounds", "seed": 2, "episodes": 3, "game": {"name": "prompting", "horizon": 12}, "protocol": "prompting",
    "seats": {"human": "ucb1", "ai": "ucb1"},
}


def browser_path() -> str:
    """The browser of this system."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("no Chromium is installed, and the pages cannot be tested without one: apt-get install chromium")
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One headless Chromium."""
    path = browser_path()
    expect.set_options(timeout=20_000)  # a machine that does much else is slow, and not wrong
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@dataclass(frozen=True)
class Site:
    """A store, its server, and the names of its runs."""
    store: Store
    served: Served
    talk: str
    hostile: str
    rounds: str
    other: str
    contracts: str

    @property
    def home(self) -> str:
        """The address without the token."""
        return self.served.address.partition("/?")[0]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Five runs that were played, and 60 of which there is no more than a beginning."""
    store = Store(tmp_path_factory.mktemp("site") / "site.duckdb")
    runs = [parlour.run(design, store.path).run for design in (CONTRACTS, OTHER, HOSTILE, ROUNDS, TALK)]
    many(store)
    with serving(store.path) as served:
        yield Site(store, served, runs[4], runs[2], runs[3], runs[1], runs[0])


def many(store: Store, n: int = 60) -> None:
    """Runs that were begun last year and never played."""
    with Journal(store.journals / "many.jsonl") as journal:
        for i in range(n):
            run = f"old-{i:02}"
            journal.write({"k": "run", "run": run, "name": "old", "seed": i, "versions": {}, "written": time.time() - 3e7 - i,
                           "design": {"episodes": 1, "arms": [{}]}})
            journal.write({"k": "arm", "run": run, "arm": "main", "game": "survey", "game_fields": {}, "protocol": "silent",
                           "protocol_fields": {}, "rules": {}, "seats": {"respondent": {"agent": "mock"}}, "exact": False})
        journal.flush()
        store.take(journal.path)


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Compares the top of a page with how it looked: in blocks and shades of grey, so that another font makes no difference.
    --write-goldens writes the references anew, and the pictures of the documentation."""
    write = bool(request.config.getoption("--write-goldens"))

    def compare(page: Page, name: str) -> None:
        size = page.viewport_size
        assert size and page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than its screen"
        shot = Image.open(io.BytesIO(page.screenshot(clip={"x": 0, "y": 0, "width": size["width"], "height": TALL})))
        blocks = shot.convert("L").resize(BLOCKS, Image.Resampling.BOX)
        reference = LOOKS / f"{name}-{size['width']}.png"
        if write:
            reference.parent.mkdir(exist_ok=True)
            blocks.save(reference)
            PICTURES.mkdir(exist_ok=True)
            if (size["width"] > 1000) != (name == "seat"):  # a seat is shown on a phone, the rest on a desk
                shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(PICTURES / f"{name}-{size['width']}.png", optimize=True)
        assert reference.exists(), f"no reference at {reference}: pytest tests/viewer --write-goldens, and look at the pictures"
        off = ImageStat.Stat(ImageChops.difference(blocks, Image.open(reference))).mean[0]
        assert off < 6, f"{name} at {size['width']} looks otherwise by {off:.1f} of 255"
        assert ImageStat.Stat(shot.convert("L")).stddev[0] > 10, f"{name} at {size['width']} is blank"
    return compare


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, 1200 pixels wide."""
    made = browser.new_context(viewport={"width": 1200, "height": 900})
    made.set_default_timeout(60_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Page:
    """A page that has been let in."""
    context.add_cookies([{"name": site.served.guard.cookie, "value": site.served.token, "url": site.home}])
    return context.new_page()
