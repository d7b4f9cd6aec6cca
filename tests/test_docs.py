"""The pages run: files they show are written, commands they show are given, what they print is what is shown.

In a page, a block whose first line is `# some/name.py` (or .toml) is that file; a ```console block holds commands after
`$ ` and what they print, `...` standing for anything; a ```python block with `>>>` is a doctest, without it a script; a
```sql block is a query on the page's store. All pages but the README share one package of their own, registered by entry
points as if it had been installed.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
GROUPS = ("games", "protocols", "agents")
LOOSE = ELLIPSIS | NORMALIZE_WHITESPACE


class Block(NamedTuple):
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is, if it is one."""
        named = FILE.match(self.text)
        return named[1] if named else None


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [Block(*m) for m in BLOCK.findall(page.read_text())]
    return [b for b in found if not languages or b.language in languages]


# --- a package as if installed ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file the pages show, and the metadata an installer would have made of their pyproject.toml."""
    folder = tmp_path_factory.mktemp("lab")
    shown: dict[str, str] = {}
    entries: dict[str, dict[str, str]] = {}
    for page in PAGES:
        for block in blocks(page, "python", "toml"):
            if block.file == "pyproject.toml":
                for group, names in tomllib.loads(block.text)["project"]["entry-points"].items():
                    entries.setdefault(group, {}).update(names)
            elif block.file:
                assert block.file not in shown, f"{page.name} shows {block.file}, which another page shows too"
                shown[block.file] = block.text
    for name, text in shown.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "my_lab" / "__init__.py").touch()
    info = folder / "my_lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("".join(
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in entries.items()))
    return folder


def run(command: list[str], lab: Path | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command in a folder of its own, the package on its path; it must succeed."""
    environment = {**os.environ, "COLUMNS": "140", "NO_COLOR": "1", "TERM": "dumb"}
    if lab:
        environment["PYTHONPATH"] = str(lab)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


def command(words: list[str]) -> list[str]:
    """`parlour` as this environment has it."""
    return [sys.executable, "-c", "import sys; from parlour.experiments.cli import main; sys.exit(main())", *words[1:]]


def said(block: Block) -> list[tuple[list[str], str]]:
    """(words of a `parlour` command, what is shown of its output) in a console block."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    pairs = [part.partition("\n")[::2] for part in parts]
    return [(shlex.split(line), shown) for line, shown in pairs if line.startswith("parlour ")]


def give(block: Block, lab: Path | None, cwd: Path) -> None:
    """Gives a console block's commands, and compares."""
    for words, shown in said(block):
        printed = run(command(words), lab, cwd).stdout
        if shown.strip():
            assert OutputChecker().check_output(shown, printed, LOOSE), f"{shlex.join(words)} printed\n{printed}\nnot\n{shown}"


# --- the pages ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_what_a_page_shows_is_so(page: Path, lab: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    for block in blocks(page, "console"):
        give(block, lab, tmp_path)
    talk = "\n\n".join(b.text for b in blocks(page, "python") if b.text.startswith(">>>"))
    if talk:
        (tmp_path / "page.txt").write_text(talk)  # the examples of one page share their names
        run([sys.executable, "-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE", "page.txt"], lab, tmp_path)
    for block in blocks(page, "sql"):
        assert json.loads(run(command(["parlour", "sql", block.text, "--json"]), lab, tmp_path).stdout), f"no rows: {block.text}"
    scripts = [b for b in blocks(page, "python") if not b.file and not b.text.startswith(">>>")]
    assert not scripts, f"{page.name}: a python block is a file or a doctest, so that it is checked"


def test_what_the_readme_shows_is_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for block in blocks(README, "python", "toml", "console"):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
        elif block.language == "console":
            give(block, None, tmp_path)
    script = "\n".join(b.text for b in blocks(README, "python") if not b.file)
    assert script, "the README shows no Python"
    run([sys.executable, "-c", script], None, tmp_path)


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda p: p.stem)
def test_links_and_fences_are_good(page: Path) -> None:
    """Links into the repository lead somewhere, every fence is closed and says what it holds."""
    text = page.read_text()
    fences = re.findall(r"^```(.*)$", text, re.MULTILINE)
    assert len(fences) % 2 == 0 and set(fences[1::2]) <= {""}
    assert set(fences[::2]) <= {"python", "console", "toml", "sql", "text", "sh"}
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", BLOCK.sub("", text)):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
    for path in re.findall(r"`((?:games|protocols|agents|transcripts|experiments|tests|docs|examples)/[\w/.*]+)`", text):
        assert list(ROOT.glob(path)), f"{page.name} speaks of {path}, which is not there"


# --- the game of the pages is a game like every other -------------------------------------------------------------------
def test_the_pages_game_passes_the_tests_of_every_game(lab: Path, tmp_path: Path) -> None:
    """As a package of one's own would do it: the suite's file beside one's own goldens."""
    for name in ("conftest.py", "test_every_game.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path)
    (tmp_path / "golden").mkdir()
    done = run([sys.executable, "-m", "pytest", "--import-mode=importlib", "-q", "-p", "no:cacheprovider", "--rootdir", ".",
                "test_every_game.py", "-k", "public_good", "--write-goldens"], lab, tmp_path).stdout
    assert int(re.search(r"(\d+) passed", done)[1]) >= 8 and "skipped" not in done  # type: ignore[index]
    assert "optimum optimum: {'first': 12.5, 'second': 14.5}" in (tmp_path / "golden" / "public_good.txt").read_text()


def test_a_registered_thing_needs_its_entry_point(lab: Path, tmp_path: Path) -> None:
    """The names come from the metadata, not from what happens to be importable."""
    code = "from parlour.registry import modules; print(*(n for f in {!r} for n, m in modules(f).items() if 'my_lab' in m))"
    listed = run([sys.executable, "-c", code.format(GROUPS)], lab, tmp_path).stdout.split()
    assert listed == ["public_good", "leader_first", "copycat", "terse"]
    shutil.copytree(lab / "my_lab", tmp_path / "bare" / "my_lab")
    assert run([sys.executable, "-c", code.format(GROUPS)], tmp_path / "bare", tmp_path).stdout.split() == []


def test_pages_are_typed_and_tidy(lab: Path, tmp_path: Path) -> None:
    """What the pages show is held to the rules of the house: ruff, and mypy --strict."""
    run([sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), "my_lab"], None, lab)
    (tmp_path / "parlour").symlink_to(ROOT)
    run(["env", f"MYPYPATH={tmp_path}", sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent",
         f"--cache-dir={tmp_path / 'cache'}", "my_lab"], None, lab)
