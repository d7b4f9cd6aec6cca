"""What each command does. Every function takes the parsed arguments and returns the exit code."""
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from ..errors import DesignError, FieldError, UnknownName
from ..games.base import Game, Rules
from ..protocols.base import Protocol
from ..registry import load, modules
from ..transcripts.store import Store
from .design import Design, Fields, game_of, json_or_text, protocol_of, read_design, seat

if TYPE_CHECKING:
    from .runner import Engine


def emit(thing: Any) -> int:
    """Prints JSON."""
    print(to_json(thing, indent=2, serialize_unknown=True, inf_nan_mode="null").decode())
    return 0


def pairs(given: list[str], option: str) -> Fields:
    """FIELD=JSON arguments as a mapping. Raises FieldError."""
    found: Fields = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise FieldError(f"{option} {item}: write {option} {'ROLE=AGENT' if option == '--seat' else 'FIELD=VALUE'}.")
        found[name] = json_or_text(value)
    return found


def setting(args: Namespace) -> tuple[Game, Protocol | None, Rules]:
    """The game, the protocol if one is named, and the rules. Without a protocol, the game's default rules."""
    game = game_of({"name": args.game, **pairs(args.set, "--set")})
    if not args.protocol:
        if args.with_:
            raise FieldError("--with gives fields of a protocol: name one with --protocol.")
        return game, None, game.usual_rules
    protocol = protocol_of({"name": args.protocol, **pairs(args.with_, "--with")}, game)
    return game, protocol, protocol.rules(game)


# --- what there is ------------------------------------------------------------------------------------------------------
def listing(args: Namespace) -> int:
    """games, protocols, agents: a name and a line each."""
    found = [(name, _line(args.command, name)) for name in modules(args.command)]
    if args.json:
        return emit([{"name": n, "summary": s} for n, s in found])
    width = max(len(n) for n, _ in found)
    for name, line in found:
        print(f"{name:<{width}}  {line}")
    return 0


def _line(folder: str, name: str) -> str:
    """What a name stands for; of one that another package has registered and that cannot be had, why not."""
    try:
        return summary(load(folder, name))
    except UnknownName as error:
        return f"(not there: {error})"


def summary(cls: type) -> str:
    """The first line of a class's module docstring."""
    return (import_module(cls.__module__).__doc__ or "").strip().partition("\n")[0]


def show(args: Namespace) -> int:
    game, protocol, rules = setting(args)
    protocol = protocol or protocol_of({"name": ""}, game)
    print(f"{args.game}\n\n{(import_module(type(game).__module__).__doc__ or '').strip()}\n\nFields")
    for name, field in type(game).model_fields.items():
        print(f"  {name} = {to_json(getattr(game, name)).decode()}   (default {to_json(field.get_default()).decode()})")
    print(f"\nRoles     {', '.join(game.roles())}")
    print(f"Seats     {', '.join(protocol.seats(game))}   (protocol {type(protocol).__module__.rpartition('.')[2]})")
    print(f"Wordings  {', '.join(w.name for w in game.wordings)}\nTies      {game.ties}\n\nBenchmarks")
    _print_benchmarks(game, rules)
    return 0


def benchmark(args: Namespace) -> int:
    game, _, rules = setting(args)
    if args.json:
        return emit([b.model_dump(mode="json") for b in game.benchmarks(rules)])
    _print_benchmarks(game, rules)
    return 0


def _print_benchmarks(game: Game, rules: Rules) -> None:
    for b in game.benchmarks(rules):
        values = ", ".join(f"{k} {_shown(v)}" for k, v in b.value.items())
        print(f"  {b.name} ({b.kind}): {values}")
        if b.measures:
            print("      " + ", ".join(f"{k} {_shown(v)}" for k, v in b.measures.items()))
        if b.note:
            print(f"      {b.note}")


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


# --- playing ------------------------------------------------------------------------------------------------------------
def play(args: Namespace) -> int:
    from .api import Results, one, synchronous
    from .runner import start
    from .screen import watcher

    seats = {role: seat(spec) for role, spec in pairs(args.seat, "--seat").items()}
    design = one(args.game, pairs(args.set, "--set"), args.protocol, pairs(args.with_, "--with"), seats, args.wording, args.seed)
    private = any(s["agent"] in ("human", "web") for s in design.arms[0].seats.values())
    watch = None if args.json or private else watcher()
    name, status = synchronous(start(design, Store(args.store), watch))
    return _after_play(args, Results(Store(args.store), name, status), watched=watch is not None)


def _after_play(args: Namespace, results: Any, watched: bool) -> int:
    from ..transcripts.talk import talk
    from .screen import payoffs
    if results.status == "paused":
        return unfinished(results.store, results.run, "paused")
    if args.json:
        return emit(talk(results.store, results.run, 0).__dict__)
    print(payoffs(talk(results.store, results.run, 0)) if watched else results.transcript(0))
    print(f"\n{results.run}/0 in {args.store}")
    return 0


def estimated(args: Namespace) -> int:
    """estimate: what a design will take."""
    from .api import synchronous
    from .estimate import estimate, lines

    design = _adjusted(read_design(args.design), args)
    found = synchronous(estimate(design))
    if args.json:
        return emit(found.as_dict())
    for line in lines(found, design.budget):
        print(line)
    return 0


def run(args: Namespace) -> int:
    from .api import synchronous
    from .estimate import costly, estimate, lines
    from .lock import locked
    from .runner import start
    from .screen import progress

    design = locked(args.design, _seated(_adjusted(read_design(args.design), args), args))
    if costly(design) and not args.json:
        for line in lines(synchronous(estimate(design)), design.budget):
            print(line, file=sys.stderr)
    with progress(design, quiet=args.json) as bar:
        name, status = synchronous(start(design, Store(args.store), on_episode=bar, file=args.design, engine=_engine(args)))
    return _table(args, name, status)


def _seated(design: Design, args: Namespace) -> Design:
    """The design with other seats, in every arm that has them. Raises DesignError if none has."""
    given = {role: seat(spec) for role, spec in pairs(args.seat, "--seat").items()}
    known = {role for arm in design.arms for role in arm.seats}
    for role in given.keys() - known:
        raise DesignError(f"--seat {role}: no arm has a seat '{role}'; there are: {', '.join(sorted(known))}.")
    arms = tuple(arm.model_copy(update={"seats": {r: given.get(r, spec) for r, spec in arm.seats.items()}}) for arm in design.arms)
    return design.model_copy(update={"arms": arms})


def _engine(args: Namespace) -> "Engine":
    """What is to play: this process, or a cluster."""
    from .runner import HERE
    if args.on == "here":
        return HERE
    from .cluster import on_ray
    return on_ray(_shared(args), args.workers)


def _shared(args: Namespace) -> str:
    if not args.shared:
        raise FieldError("--on ray needs --shared: a folder that all workers see, or an address like s3://bucket/runs.")
    if args.workers < 1:
        raise FieldError(f"--workers {args.workers}: 1 or more.")
    return str(args.shared)


def _adjusted(design: Design, args: Namespace) -> Design:
    given = {"episodes": json_or_text(args.episodes) if args.episodes else None, "seed": args.seed,
             "concurrency": args.concurrency, "budget": args.budget, "cache": args.cache, "inference": args.inference}
    changed = {k: v for k, v in given.items() if v is not None}
    from pydantic import ValidationError

    from ..registry import explain
    try:
        return Design.model_validate({**design.model_dump(), **changed})
    except ValidationError as error:
        raise DesignError(f"{explain(error)}.") from None


def resume(args: Namespace) -> int:
    from .api import synchronous
    from .resume import find
    from .resume import resume as take_up

    store = Store(args.store)
    name, status = synchronous(take_up(find(args.run, store).stem, store, budget=afforded(args.budget),
                                       as_begun=args.as_begun, tell=_warn, engine=_engine(args)))
    return _table(args, name, status)


def afforded(budget: float | None) -> float | None:
    """A budget that can be one. Raises FieldError."""
    if budget is not None and budget <= 0:
        raise FieldError(f"--budget {budget:g}: US$, more than 0.")
    return budget


def unfinished(store: Store, name: str, status: str) -> int:
    """Says on stderr how to go on with a run that is paused or stopped."""
    from ..transcripts.bill import why
    said, with_ = ("paused:", "") if status == "paused" else (f"stopped: {why(store, name)}", " --budget US$")
    print(f"{said} {'go' if status == 'paused' else 'Go'} on with `parlour resume {name}{with_} --store {store.path}`", file=sys.stderr)
    return 0


def _table(args: Namespace, name: str, status: str) -> int:
    from ..transcripts.hypotheses import as_rows, findings
    from ..transcripts.scores import lines, score
    from .screen import table, verdicts

    store = Store(args.store)
    warn(store, name)
    if status in ("paused", "stopped"):
        return unfinished(store, name, status)
    found, claims = score(store, name), findings(store, name)
    if args.json:
        return emit({"run": name, "status": status, "store": args.store, "scores": lines(found), "hypotheses": as_rows(claims),
                     "possibly_paid": store.rows(POSSIBLY_PAID, [name])})
    table(found)
    verdicts(claims)
    closing(store, name, status)
    return 0


def _warn(what: str) -> None:
    print(f"warning: {what}", file=sys.stderr)


def warn(store: Store, run: str) -> None:
    """Says on stderr if a model changed under a run."""
    from ..transcripts.drift import drift
    for warning in drift(store, run):
        _warn(warning)


PLANNED = ("CASE WHEN r.run NOT IN (SELECT run FROM fork) THEN "
           "try_cast(r.design ->> 'episodes' AS INTEGER) * json_array_length(r.design -> 'arms') END")
"""SQL: how many episodes the design of run r has; NULL for forks and exact evaluations, whose number no design tells."""


def closing(store: Store, run: str, status: str) -> None:
    """What stands under a table: the bill, where everything is, and the calls that may have been paid for nothing."""
    from ..transcripts.bill import bill
    from ..transcripts.seal import noted
    if cost := bill(store, run):
        print(cost)
    print(f"\n{run}: {status}. Transcripts and scores are in {store.path}; read one with "
          f"`parlour transcript {run}/0 --store {store.path}`")
    of, ended = store.rows(f"SELECT {PLANNED} AS planned, (SELECT count(*) FROM ending n WHERE n.run = r.run) AS ended FROM run r "
                           "WHERE r.run = ?", [run])[0].values()
    if of is not None and ended < of:
        print(f"{ended} of {of} episodes have ended, and the table is of these: go on with `parlour resume {run} --store {store.path}`")
    if root := noted(store, run):
        print(f"Root of its episodes: {root}. Note it down: `parlour verify {run} --store {store.path} --root ...`")
    if lost := sum(r["calls"] for r in store.rows(POSSIBLY_PAID, [run])):
        print(f"{lost} calls were in flight when the run was cut off: they may have been paid for, but their replies are not on "
              f"record. `parlour sql \"SELECT * FROM possibly_paid WHERE run = '{run}'\" --store {store.path}` lists them.")


# --- reading ------------------------------------------------------------------------------------------------------------
def verify(args: Namespace) -> int:
    """0 if everything came out as recorded, 1 if something did not."""
    from ..transcripts.talk import find_run
    from .redrive import Divergence
    from .verify import verify as check

    store = Store(args.store)
    found = check(store, find_run(store, args.run))
    if args.root and args.root != found.root and found.divergence is None:
        found = replace(found, divergence=Divergence(None, None, "root", args.root, found.root))
    if args.json:
        emit(found.__dict__ | {"divergence": found.divergence and found.divergence.__dict__})
    else:
        print(f"{found.run}: {found.episodes} episodes, root {found.root}")
        print("everything came out as recorded" if found.divergence is None else f"DIFFERS: {found.divergence}")
        for note in found.notes:
            print(f"note: {note}")
    return 0 if found.divergence is None else 1


def runs(args: Namespace) -> int:
    store = Store(args.store)
    found = store.rows(
        "SELECT r.run, r.name, count(e.episode) AS episodes, count(n.episode) AS ended, "
        "coalesce((SELECT arg_max(status, written) FROM stop s WHERE s.run = r.run), 'unfinished') AS status, "
        "(SELECT coalesce(sum(calls), 0)::INTEGER FROM possibly_paid p WHERE p.run = r.run) AS possibly_paid, "
        f"r.versions ->> 'parlour' AS parlour, {PLANNED} AS planned FROM run r "
        "LEFT JOIN episode e USING (run) LEFT JOIN ending n USING (run, episode) GROUP BY ALL ORDER BY min(r.written)")
    taken = {r["run"] for r in found}
    waiting = sorted(p.stem for p in store.journals.glob("*.jsonl") if p.stem not in taken)
    if args.json:
        return emit(found)
    for r in found:
        lost = f"  {r['possibly_paid']} calls possibly paid" if r["possibly_paid"] else ""
        of = r["episodes"] if r["planned"] is None else r["planned"]
        print(f"{r['run']}  {r['ended']}/{of} episodes ended  {r['status']}{lost}  parlour {r['parlour']}")
    for name in waiting:
        print(f"{name}  in its journal alone, not yet in the store: it has just begun, or was killed; `parlour resume {name}` goes on")
    return 0


def transcript(args: Namespace) -> int:
    from ..transcripts.talk import as_text, find, talk
    store = Store(args.store)
    found = talk(store, *find(store, args.id))
    if args.json:
        return emit(found.__dict__)
    print(as_text(found))
    return 0


def sql(args: Namespace) -> int:
    found = Store(args.store).query(args.query)
    if args.json:
        print(found.to_json(orient="records", indent=2))
    else:
        print(found.to_string(index=False, max_rows=200, max_colwidth=100))
    return 0


def export(args: Namespace) -> int:
    from ..transcripts.export import export as write
    from ..transcripts.talk import find_run
    store = Store(args.store)
    name = find_run(store, args.run)
    to = Path(args.to or (f"{name}.csv" if args.format == "csv" else name))
    for path in write(store, name, to, args.format):
        print(path)
    return 0


def mock_server(args: Namespace) -> int:
    from ..agents.faults import Faults, menu
    from ..agents.mock_server import serve_forever
    if not 0 <= args.rate <= 1:
        raise FieldError(f"--rate {args.rate:g}: a share of calls, from 0 to 1.")
    if args.limit is not None and not args.limit > 0:
        raise FieldError(f"--limit {args.limit:g}: calls a second, more than 0.")
    serve_forever(args.port, Faults(rate=args.rate, kinds=menu(args.faults or "all")), limit=args.limit)
    return 0


def contract(args: Namespace) -> int:
    """contract: from tables of scores and costs to payments."""
    from .contract import contract as made
    return made(args, emit)


POSSIBLY_PAID = "SELECT episode, turn, try, role, agent, calls FROM possibly_paid WHERE run = ? ORDER BY ALL"

COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "games": listing, "protocols": listing, "agents": listing, "show": show, "benchmark": benchmark, "play": play,
    "estimate": estimated, "run": run,
    "resume": resume, "verify": verify, "runs": runs, "transcript": transcript, "sql": sql, "export": export,
    "contract": contract, "mock-server": mock_server,
}
