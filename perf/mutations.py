"""Seeded errors in the economics, and whether the suite finds them.

    python perf/mutations.py [--errors 100] [--seed 1] [--jobs 2] [--folder FOLDER] [--list]

An error is one change to one expression of a game, a solver, a protocol, a statistic or a statistical person. Kinds, each drawn as
often as the others while it lasts: a sign; a factor for its inverse; a comparison turned round; a tie broken the other way; min for
max; `and` for `or`, a dropped `not`; a number moved; a chance taken for its complement (a prior, an accuracy); what one may not see
shown, or what one may see kept back (leak); a forfeit, a fee or an increment dropped.

The first run notes which test runs which function (`notes` in --folder). Each error is then put into a copy of the package, and
first the tests that run the changed function are run, until one fails; an error that passes them meets the
games that rest on it, and then all tests of its part.
Results go to `SEED.jsonl` there as they come: a run that was cut off is gone on with, and errors that no test found are tried again.
Printed are those that no test found; whoever reads them decides whether they are errors at all. Those that were read
and are none stand in `equivalents.json` beside this file with a reason, and are not drawn. Exit code 1 below 95 in 100.
"""
import argparse
import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, NoReturn

ROOT = Path(__file__).parent.parent
WHERE = ("games/*.py", "games/solvers/*.py", "protocols/*.py", "transcripts/statistics.py", "transcripts/sampling.py",
         "transcripts/hypotheses.py", "transcripts/shares.py", "transcripts/forks.py", "transcripts/channel.py",
         "transcripts/compliance.py", "transcripts/fidelity.py", "transcripts/psychometric.py", "transcripts/sensitivity.py",
         "transcripts/wild.py", "agents/logit.py", "agents/level_k.py", "agents/liar.py", "agents/updater.py", "agents/best_reply.py")
SKIP = ("__init__.py", "_words.py", "protocols/codec.py", "protocols/patience.py", "protocols/seat.py")
TESTS = ("tests/games", "tests/solvers", "tests/protocols", "tests/transcripts", "tests/agents/test_seats.py", "tests/test_every_game.py",
         "tests/experiments/test_design.py", "tests/experiments/test_examples.py", "tests/experiments/test_fork.py",
         "tests/experiments/test_blame.py", "tests/experiments/test_fidelity.py", "tests/experiments/test_runner.py",
         "tests/experiments/test_contract.py", "tests/experiments/test_contract_treatments.py", "tests/experiments/test_preregistration.py",
         "tests/experiments/test_studies.py")
"""Where the economics are tested."""
EVERY = "tests/test_every_game.py"
PARTS = {"games": ("tests/games", "tests/solvers", "tests/protocols", "tests/experiments/test_contract.py"),
         "protocols": ("tests/protocols", "tests/games", "tests/experiments/test_contract_treatments.py"),
         "transcripts": ("tests/transcripts", "tests/experiments"), "agents": ("tests/agents", "tests/experiments/test_fidelity.py")}
"""What an error meets that passed the tests known to run its function, and the games that rest on it."""
IGNORED = (".*", "*.duckdb", "*.journals", "build", "dist", "__pycache__", "*.egg-info")
EQUIVALENT = Path(__file__).with_name("equivalents.json")
PATIENCE = 120
"""Seconds for one test; an error that makes it hang is found."""
HANGS = 900
"""Seconds after which a run of tests is given up."""
TURNED: dict[type, type] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
TIED: dict[type, type] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SIGNS: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
FACTORS: dict[type, type] = {ast.Mult: ast.Div, ast.Div: ast.Mult}
CALLS = {"min": "max", "max": "min"}
CHANGED = (ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call, ast.IfExp, ast.Constant, ast.Raise, ast.AugAssign)


@dataclass(frozen=True)
class Error:
    """One change: its kind, the file, the function, the line, what stood there, what stands there now, the whole file."""
    kind: str
    path: Path
    function: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """What it is, whatever line it stands in."""
        return f"{self.path} {self.function}: {self.before} -> {self.after}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}   {self.kind}   {self.before}   ->   {self.after}"


# --- what can be made wrong -------------------------------------------------------------------------------------------------
def errors(path: Path) -> Iterator[Error]:
    """Every error that can be made in a file; never a docstring, a message or an annotation."""
    text = path.read_text()
    seen: set[tuple[int, int, str]] = set()
    for function in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
        silent = {id(n) for r in ast.walk(function) if isinstance(r, ast.Raise | ast.Assert | ast.JoinedStr) or _is_note(r)
                  for n in ast.walk(r) if n is not r or not isinstance(r, ast.Raise)}
        silent |= {id(n) for r in (function.returns, *(a.annotation for a in ast.walk(function) if isinstance(a, ast.arg)))
                   if r is not None for n in ast.walk(r)}
        for node in ast.walk(function):
            if id(node) in silent or not isinstance(node, CHANGED):
                continue
            for kind, after in _wrong(node, function.name):
                place = (node.lineno, node.col_offset, after)
                if place not in seen and (made := _placed(path, text, node, function.name, kind, after)):
                    seen.add(place)
                    yield made


def _is_note(node: ast.AST) -> bool:
    """Whether a call only makes words."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("tell", "join", "label", "percent")


def _placed(path: Path, text: str, node: ast.expr | ast.stmt, function: str, kind: str, after: str) -> Error | None:
    before = ast.get_source_segment(text, node)
    if before is None or "\n" in before:
        return None
    start = sum(len(x.encode()) for x in text.splitlines(keepends=True)[:node.lineno - 1]) + node.col_offset
    own = after if isinstance(node, ast.stmt) else f"({after})"
    new = text.encode()[:start] + own.encode() + text.encode()[start + len(before.encode()):]
    return Error(kind, path.relative_to(ROOT), function, node.lineno, before, after, new.decode())


def _wrong(node: ast.expr | ast.stmt, function: str) -> Iterator[tuple[str, str]]:
    """(kind, source) of what may stand in a node's place."""
    made: Any = ast.parse(ast.unparse(node)).body[0]
    if isinstance(node, ast.stmt):
        yield from _dropped(made)
        return
    made = made.value
    if isinstance(made, ast.BinOp) and not any(isinstance(x, ast.Constant | ast.JoinedStr) and not _is_number(x)
                                               for x in (made.left, made.right)):
        if isinstance(made.op, ast.Sub) and _is_number(made.left) and made.left.value == 1:
            yield "complement", ast.unparse(made.right)
        for kind, swaps in (("sign", SIGNS), ("factor", FACTORS)):
            if type(made.op) in swaps:
                yield kind, ast.unparse(ast.BinOp(made.left, swaps[type(made.op)](), made.right))
    elif isinstance(made, ast.Compare) and len(made.ops) == 1:
        for kind, swaps in (("turned", TURNED), ("tie", TIED)):
            if type(made.ops[0]) in swaps:
                yield kind, ast.unparse(ast.Compare(made.left, [swaps[type(made.ops[0])]()], made.comparators))
    elif isinstance(made, ast.BoolOp):
        yield "logic", ast.unparse(ast.BoolOp(ast.Or() if isinstance(made.op, ast.And) else ast.And(), made.values))
    elif isinstance(made, ast.UnaryOp):
        yield "logic" if isinstance(made.op, ast.Not) else "sign", ast.unparse(made.operand)
    elif isinstance(made, ast.Call):
        yield from _called(made)
    elif isinstance(made, ast.IfExp):
        hides = function in ("reveal", "observe", "reports", "heard", "script")
        yield "leak" if hides else "branch", ast.unparse(made.body)
        yield "leak" if hides else "branch", ast.unparse(made.orelse)
    elif _is_number(made) and (made.value == 0 or 1e-3 < abs(made.value) < 1e6):
        yield "number", repr(made.value + 1)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _called(made: ast.Call) -> Iterator[tuple[str, str]]:
    if isinstance(made.func, ast.Name) and made.func.id in CALLS:
        yield "extremum", ast.unparse(ast.Call(ast.Name(CALLS[made.func.id]), made.args, made.keywords))
    if isinstance(made.func, ast.Attribute) and made.func.attr == "reveal":
        yield "leak", "None"
    if isinstance(made.func, ast.Attribute) and made.func.attr in ("fee", "fees"):
        yield "dropped", "0.0"


def _dropped(made: ast.stmt) -> Iterator[tuple[str, str]]:
    raised = made.exc if isinstance(made, ast.Raise) else None
    if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) and raised.func.id in ("Forfeit", "RulesError"):
        yield "dropped", "pass"
    if isinstance(made, ast.AugAssign):
        yield "dropped", "pass"
        if type(made.op) in SIGNS and not isinstance(made.value, ast.List):
            yield "sign", ast.unparse(ast.AugAssign(made.target, SIGNS[type(made.op)](), made.value))


def drawn(count: int, seed: int) -> list[Error]:
    """So many errors, by seed, of every kind in turn; without those that were read and are none."""
    files = sorted({p for pattern in WHERE for p in ROOT.glob(pattern) if not str(p).endswith(SKIP)})
    none = json.loads(EQUIVALENT.read_text()) if EQUIVALENT.exists() else {}
    kinds: dict[str, list[Error]] = defaultdict(list)
    for error in (e for p in files for e in errors(p)):
        kinds[error.kind].append(error)
    for some in kinds.values():
        Random(seed).shuffle(some)
    turns = [e for i in range(max(map(len, kinds.values()))) for k in sorted(kinds) for e in kinds[k][i:i + 1]]
    return [e for e in turns if e.key not in none][:count]


# --- which test runs which function -----------------------------------------------------------------------------------------
class Mapper:
    """A pytest plugin that notes, for every test, which of our functions ran in it, and how long it took."""

    def __init__(self, root: Path):
        self.root, self.ran = str(root), dict[str, set[str]]()
        self.seconds = dict[str, float]()
        self.own: set[str] = set()

    def _trace(self, frame: Any, event: str, arg: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(self.root):
            self.own.add(f"{code.co_filename[len(self.root) + 1:]}:{code.co_name}")

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self.own, self.began = set(), time.monotonic()
        sys.settrace(self._trace)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        sys.settrace(None)
        self.ran[nodeid], self.seconds[nodeid] = self.own, time.monotonic() - self.began


def mapped(folder: Path, jobs: int) -> dict[str, list[str]]:
    """"file:function" -> the tests that run it, the quickest first; from notes per file of tests, made once."""
    copy, parts = folder / "map" / "parlour", folder / "notes"
    if not copy.exists():
        copied(folder / "map")
    parts.mkdir(exist_ok=True)

    def one(file: str) -> dict[str, Any]:
        note = parts / (file.replace("/", ".") + ".json")
        if not note.exists():
            here = {"PYTHONPATH": f"{copy.parent}{os.pathsep}{Path(__file__).parent}"}
            subprocess.run([*pytest(copy), file, "-p", "mutations", "--map-to", str(note)], cwd=copy, check=False,
                           stdout=subprocess.DEVNULL, env={**environment(copy), **here})
            print(f"noted {file}", file=sys.stderr, flush=True)
        read: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
        return read

    files = [str(p.relative_to(copy)) for t in TESTS for p in ([copy / t] if t.endswith(".py") else sorted((copy / t).glob("test_*.py")))]
    with ThreadPoolExecutor(jobs) as pool:
        tests = {k: v for part in pool.map(one, files) for k, v in part.items()}
    found: dict[str, list[str]] = defaultdict(list)
    for test, (_, ran) in sorted(tests.items(), key=lambda item: item[1][0]):
        for function in ran:
            found[function].append(test)
    return found


def pytest_addoption(parser: Any) -> None:
    """As a plugin: where the map goes."""
    parser.addoption("--map-to")


def pytest_configure(config: Any) -> None:
    """As a plugin: takes notes."""
    config.pluginmanager.register(Mapper(config.rootpath), "mapper")


def pytest_sessionfinish(session: Any) -> None:
    """As a plugin: writes them, for every test its seconds and the functions it ran."""
    mapper: Mapper = session.config.pluginmanager.get_plugin("mapper")
    noted = {test: (mapper.seconds[test], sorted(ran)) for test, ran in mapper.ran.items()}
    Path(session.config.getoption("--map-to")).write_text(json.dumps(noted))


# --- trying one -------------------------------------------------------------------------------------------------------------
def copied(folder: Path) -> Path:
    """A copy of the package below a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT, folder / "parlour", ignore=shutil.ignore_patterns(*IGNORED))
    return folder / "parlour"


def pytest(copy: Path) -> list[str]:
    """The command, for a copy."""
    return ["nice", sys.executable, "-m", "pytest", *options(copy)]


def options(copy: Path) -> list[str]:
    """pytest's options for a copy."""
    return ["-q", "-p", "no:cacheprovider", "--timeout", str(PATIENCE), "--rootdir", str(copy), "-c", str(copy / "pyproject.toml")]


def environment(copy: Path) -> dict[str, str]:
    """One in which the package is the copy, and no library starts threads of its own."""
    return {**os.environ, "PYTHONPATH": str(copy.parent), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class First:
    """A pytest plugin that writes the first test that fails into a file."""

    def __init__(self, to: Path):
        self.to = to

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.to.exists():
            self.to.write_text(report.nodeid)


def found(error: Error, copy: Path, tests: dict[str, list[str]]) -> str | None:
    """The test that finds it in a copy of the package; None if none does."""
    file, good = copy / error.path, (copy / error.path).read_text()
    file.write_text(error.source)
    try:
        known, resting = tests.get(f"{error.path}:{error.function}") or speaking_of(error.path), " or ".join(games_on(error.path))
        of_games = [[EVERY, "-k", f"({resting}) and {which}"] for which in ("golden", "not golden")] if resting else []
        for some in (known, *of_games, list(PARTS[error.path.parts[0]])):
            if some and (name := _failing(copy, some)):
                return name
        return None
    finally:
        file.write_text(good)
        os.utime(file, (time.time() + 5, time.time() + 5))  # so that no machine code of the error is taken for that of the file


@cache
def imports(path: Path) -> frozenset[str]:
    """The names of our modules that a file imports, the last part of each."""
    nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom) and n.level]
    return frozenset(x for n in nodes for x in ((n.module or "").rpartition(".")[2], *(a.name for a in n.names)))


@cache
def speaking_of(changed: Path) -> list[str]:
    """The files of tests that name a module, for functions that no noted test runs in its own process."""
    named = re.compile(rf"\b{changed.stem}\b")
    return [str(p.relative_to(ROOT)) for part in ("games", "solvers", "protocols", "transcripts", "agents", "experiments")
            for p in sorted((ROOT / "tests" / part).glob("test_*.py")) if named.search(p.read_text())]


@cache
def games_on(changed: Path) -> list[str]:
    """The games that rest on a file: itself, or a game or solver that it imports, and so on; all of them for the script of play."""
    own = {p.stem: imports(p) for p in (*ROOT.glob("games/*.py"), *ROOT.glob("games/solvers/*.py"))}
    games = [p.stem for p in sorted(ROOT.glob("tests/golden/*.txt"))]
    if changed.parts[0] == "protocols":
        return games
    if changed.parts[0] != "games":
        return []
    reached = {changed.stem}
    while more := {name for name, uses in own.items() if uses & reached} - reached:
        reached |= more
    return [g for g in games if g in reached]


def _failing(copy: Path, tests: Sequence[str]) -> str | None:
    """The first of these tests that fails, in a process of its own; None if all pass. Libraries are inherited, the package is not."""
    note = copy.parent / "first"
    note.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        _pytest_here(copy, tests, note)
    until = time.monotonic() + HANGS
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "it hangs"
        time.sleep(0.1)
    if ended[1] == 0:
        return None
    return note.read_text() if note.exists() else "it stops"


def _pytest_here(copy: Path, tests: Sequence[str], note: Path) -> NoReturn:
    """Runs the tests in this process, silently, and ends it."""
    code = 1
    try:
        os.environ.update(environment(copy))
        os.chdir(copy)
        sys.path.insert(0, str(copy.parent))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        import pytest
        code = int(pytest.main([*options(copy), "-x", *tests], plugins=[First(note)]))
    finally:
        os._exit(code)


def _worker(number: int, some: list[Error], folder: Path, notes: Path, tests: dict[str, list[str]]) -> NoReturn:
    """Tries its share of the errors, noting each, and ends."""
    os.nice(10)
    copy = copied(folder / f"copy-{number}")
    for module in ("numpy", "scipy.optimize", "scipy.stats", "pandas", "duckdb", "pydantic", "hypothesis", "pytest", "statsmodels.api"):
        with suppress(ImportError):
            import_module(module)  # once, and not again for every error
    if broken := _failing(copy, [EVERY, "-k", "golden"]):
        print(f"without any error {broken} fails already: nothing was tried.", file=sys.stderr)
        os._exit(1)
    for error in some:
        began = time.monotonic()
        test = found(error, copy, tests)
        with notes.open("a") as file:
            file.write(json.dumps({"error": error.key, "test": test, "seconds": round(time.monotonic() - began, 1)}) + "\n")
        print(f"{'found' if test else 'NOT FOUND'}  {error}", file=sys.stderr, flush=True)
    os._exit(0)


def tried(some: list[Error], folder: Path, seed: int, jobs: int) -> dict[Error, str | None]:
    """Every error with the test that found it; results go to a file as they come, and those that were found before are not tried."""
    notes, tests = folder / f"{seed}.jsonl", mapped(folder, jobs)
    before = noted(notes)
    todo = [e for e in some if not before.get(e.key)]
    workers = []
    for i in range(jobs):
        child = os.fork()
        if not child:
            _worker(i, todo[i::jobs], folder, notes, tests)
        workers.append(child)
    for child in workers:
        os.waitpid(child, 0)
    after = noted(notes)
    return {e: after.get(e.key) for e in some}


def noted(notes: Path) -> dict[str, str | None]:
    """What a file of results holds: error -> the test that found it, the last time it was tried."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {r["error"]: r["test"] for r in map(json.loads, lines)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "parlour-mutations")
    parser.add_argument("--list", action="store_true", help="only name them")
    args = parser.parse_args()
    some = drawn(args.errors, args.seed)
    if args.list:
        with suppress(BrokenPipeError):
            print("\n".join(map(str, some)))
        return 0
    args.folder.mkdir(parents=True, exist_ok=True)
    made = tried(some, args.folder, args.seed, args.jobs)
    missed = [e for e in some if made[e] is None]
    for error in missed:
        print(f"not found: {error}")
    kinds = sorted({e.kind for e in some})
    print("\n".join(f"{k:<12} {sum(made[e] is not None for e in some if e.kind == k)} of {sum(e.kind == k for e in some)}" for k in kinds))
    print(f"{len(some) - len(missed)} of {len(some)} errors found (seed {args.seed})")
    return 0 if len(missed) * 20 <= len(some) else 1


if __name__ == "__main__":
    sys.exit(main())
