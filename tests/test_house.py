"""The rules of the house: one way of imports, no cycle, an honest package list, cheap imports, a docstring for every name."""
import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from parlour.registry import modules

ROOT = Path(__file__).parent.parent
LAYERS = ("games", "protocols", "agents", "transcripts", "reports", "experiments", "viewer")
FOUNDATION = ("errors", "registry")
SOURCES = [p for folder in LAYERS for p in sorted((ROOT / folder).rglob("*.py"))]
SOURCES += [ROOT / f"{f}.py" for f in ("__init__", *FOUNDATION)]


def imports(path: Path) -> set[str]:
    """The package's own modules that a file imports, as dotted paths below the package."""
    here = path.relative_to(ROOT).with_suffix("").parts
    package = here[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[:len(package) - (node.level - 1)]
            module = (*base, *(node.module.split(".") if node.module else ()))
            found |= {".".join((*module, a.name)) if is_module((*module, a.name)) else ".".join(module) for a in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "parlour":
            raise AssertionError(f"{path}: imports inside the package are relative")
    return found - {""}


def is_module(parts: tuple[str, ...]) -> bool:
    at = ROOT.joinpath(*parts)
    return at.with_suffix(".py").exists() or (at / "__init__.py").exists()


def layer(module: str) -> str:
    return module.split(".")[0]


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 40
    assert imports(ROOT / "protocols" / "advice.py") >= {"games.base", "protocols.base"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    mine = layer(path.relative_to(ROOT).with_suffix("").parts[0])
    for module in imports(path):
        if mine in LAYERS and layer(module) in LAYERS:
            assert LAYERS.index(layer(module)) <= LAYERS.index(mine), f"{path} imports {module}"
        if mine in FOUNDATION:
            assert layer(module) in FOUNDATION, f"{path} imports {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "agents").glob("*.py")), ids=lambda p: p.stem)
def test_agents_see_the_vocabulary_of_games_alone(path: Path) -> None:
    assert {m for m in imports(path) if layer(m) == "games"} <= {"games.base"}


@pytest.mark.parametrize("path", sorted((ROOT / "games" / "solvers").glob("*.py")), ids=lambda p: p.stem)
def test_solvers_know_no_game(path: Path) -> None:
    assert all(m.startswith("games.solvers") for m in imports(path))


def test_no_import_cycle() -> None:
    graph = {".".join(p.relative_to(ROOT).with_suffix("").parts): imports(p) for p in SOURCES if p.name != "__init__.py"}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"cycle: {' -> '.join((*path, module))}"
        if module not in done:
            for other in graph.get(module, ()):
                visit(other, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())
    assert done >= set(graph)


def test_package_list_holds_every_folder_with_code() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {"parlour"} | {"parlour." + ".".join(p.parent.relative_to(ROOT).parts) for p in SOURCES if p.parent != ROOT}
    assert set(listed) == there and len(listed) == len(there)


def documented(tree: ast.Module) -> list[str]:
    """Public top-level names without a docstring, and public methods of public classes that add a name of their own."""
    bare = [] if ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            bare += [] if ast.get_docstring(node) else [node.name]
    return bare


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(path: Path) -> None:
    small = {"Frozen", "main", "parser"} if path.name in ("base.py", "cli.py") else set()
    commands = {"show", "benchmark", "play", "run", "resume", "score", "runs", "transcript", "sql", "export",
                "mock_server", "demo", "fork", "blame", "replay"}
    allowed = small | (commands if path.name in ("commands.py", "rerun.py") else set())  # what each does stands in synopses.py
    moves = {"games"}  # a game's class is described by its module's docstring
    missing = [n for n in documented(ast.parse(path.read_text())) if n not in allowed]
    if path.relative_to(ROOT).parts[0] in moves and len(missing) == 1 and ast.get_docstring(ast.parse(path.read_text())):
        missing = [n for n in missing if n.lower() != path.stem.replace("_", "")]
    assert not missing


@pytest.mark.parametrize("name", modules("games"))
def test_every_game_names_its_source(name: str) -> None:
    assert "Source" in (ast.get_docstring(ast.parse((ROOT / "games" / f"{name}.py").read_text())) or "")


HEAVY = ("litellm", "openai", "langgraph", "scipy", "pandas", "numpy", "duckdb", "aiohttp", "rich", "tenacity", "statsmodels",
         "starlette", "uvicorn", "matplotlib", "jinja2")


@pytest.mark.parametrize("code", [
    "import parlour",
    "from parlour.experiments.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
], ids=["import parlour", "parlour --help"])
def test_cheap_to_import(code: str) -> None:
    check = f"{code}\nimport sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_import_touches_the_network_or_a_heavy_package() -> None:
    modules = [".".join(("parlour", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__") for p in SOURCES]
    code = f"""
import socket, sys
def refuse(*a, **k): raise SystemExit(f"network touched: {{a}}")
socket.socket.connect = refuse; socket.getaddrinfo = refuse
import importlib
for m in {modules!r}: importlib.import_module(m)
print([m for m in ("litellm", "openai", "langgraph", "scipy", "pandas") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_public_surface() -> None:
    import parlour
    assert parlour.__all__ == ["blame", "fork", "load", "open", "play", "resume", "run"]
    assert all(callable(getattr(parlour, name)) for name in parlour.__all__)
    assert set(dir(parlour)) == {*parlour.__all__, "__version__"}


def test_error_tree_is_the_one_drawn() -> None:
    from parlour import errors
    drawn = {line.replace("│", " ").replace("├──", "").replace("└──", "").split()[0]
             for line in (errors.__doc__ or "").splitlines() if "──" in line}
    defined = {n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, errors.ParlourError)}
    assert defined - {"ParlourError"} == drawn


def test_sockets_beyond_loopback_are_blocked() -> None:
    import socket
    with pytest.raises(OSError, match="offline"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="offline"):
        socket.getaddrinfo("example.org", 80)
