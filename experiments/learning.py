"""The commands of learners: `simulate`, `learners`, which reads what a run's seats did, and `recovery`."""
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FieldError, InputError
from ..games.base import Game, Rules
from ..reports.document import shown
from ..transcripts.curves import read
from ..transcripts.paths import ROLES, Paths
from ..transcripts.store import Store
from .commands import emit, pairs
from .design import Fields, game_of, seat
from .simulation import Plan, explored, rows, run


def simulate(args: Namespace) -> int:
    """Every leader against every follower at every horizon, into the store; then the table, and pictures if asked for."""
    if min(args.rounds) < 2 or max(args.rounds) > 10**9 or args.seeds < 1:
        raise FieldError("--rounds is at least 2 and --seeds at least 1.")
    spec: Fields = {"name": args.game, **pairs(args.set, "--set")}
    store, every = Store(args.store), []
    for leader in map(seat, args.leader):
        for follower in map(seat, args.follower):
            plans = [_plan(spec, leader, follower, rounds) for rounds in sorted(set(args.rounds))]
            found = [_simulated(plan, args, store) for plan in plans]
            every.append((found, explored(plans[-1], found[-1])))
    if args.plot:
        _draw([found[-1] for found, _ in every], plans[-1].game, plans[-1].game.usual_rules, args)
    if args.json:
        return emit([row | {"leader": found[-1].leader, "follower": found[-1].follower, "at_last_horizon": measured}
                     for found, measured in every for row in rows(found, args.level)])
    for found, measured in every:
        _print(found, measured, args.level)
    return 0


def _plan(spec: Fields, leader: Fields, follower: Fields, rounds: int) -> Plan:
    game = game_of(spec)
    return Plan(game_of({**spec, "horizon": rounds}) if "horizon" in type(game).model_fields else game, spec, leader, follower, rounds)


def _simulated(plan: Plan, args: Namespace, store: Store) -> Paths:

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{plan.leader['agent']} x {plan.follower['agent']}, {plan.horizon} rounds: {done}/{of} seeds",
                  end="\n" if done == of else "", file=sys.stderr, flush=True)

    return read(store, run(plan, store, range(args.seed, args.seed + args.seeds), tell))


def _print(found: list[Paths], measured: Mapping[str, float], level: float) -> None:
    print(f"\n{found[-1].title}   {len(found[-1].switched)} seeds")
    for row in rows(found, level):
        slope = "" if row["slope"] is None else f"   slope {row['slope']:.3f} [{row['slope_low']:.3f}, {row['slope_high']:.3f}]"
        print(f"  T={row['rounds']:<9g}{row['role']:<6} against {row['benchmark']:<18}{row['regret']:>12.1f} "
              f"[{row['low']:.1f}, {row['high']:.1f}]{slope}")
    print("  at the last horizon: " + ", ".join(f"{k} {v:.4g}" for k, v in measured.items()))


def _draw(found: list[Paths], game: Game, rules: Rules, args: Namespace) -> None:
    """Pictures of the leader's regret and of all shares, their files named on stderr."""
    from .plots import draw, guarantees, usual
    bounds = guarantees(game, rules, found[-1].rounds.tolist())
    for path in draw(found, Path(args.plot), ROLES[0], args.against or usual(found, ROLES[0]), bounds):
        print(path, file=sys.stderr)


# --- what the seats of a run did ------------------------------------------------------------------------------------------
def learners(args: Namespace) -> int:
    """Regret, exploration, paired comparisons, the learner each seat is like, and how far from every other: all from rows."""
    from ..transcripts.courses import courses_of
    from ..transcripts.learning import learned
    from ..transcripts.scores import lines
    from ..transcripts.seated import described
    from ..transcripts.talk import find_run
    from .likeness import distances
    from .matched import matched

    store = Store(args.store)
    name = find_run(store, args.run)
    measured = lines(learned(store, name, args.level))
    if not measured:
        raise InputError("no seat of this run chose among a few actions over many rounds, so there is nothing to fit.")
    if args.plot:
        arms = [c for c in courses_of(store, name) if c.game.measured]
        if not arms:
            raise InputError("the means of this game's cells are not known, so there is no regret to draw: leave --plot out.")
        _draw([c.paths for c in arms], arms[-1].game, arms[-1].arm.rules, args)
    seats, far, compared = described(store, name), list(distances(store, name)), matched(store, name, args.level)
    if args.json:
        return emit({"measures": measured, "paired": compared, "seats": seats, "distances": far})
    _tell(measured, compared, seats, far)
    if args.episodes:
        _tell_each(seats)
    return 0


def _tell(measured: list[dict[str, Any]], compared: list[dict[str, Any]], seats: list[dict[str, Any]], far: list[dict[str, Any]]) -> None:
    from .likeness import CLASSICAL, likenesses
    from .matched import NO_SLOPE
    from .screen import frame

    regret = [m for m in measured if m["quantity"] == "expected regret"]
    frame("expected regret over all rounds, against each benchmark", pivot(regret, "benchmark"))
    print(NO_SLOPE)
    frame("paired: expected regret over all rounds, first less second; the same against every benchmark", compared)
    frame("exploration, means over episodes", pivot([{**m, "low": None} for m in measured if m not in regret], "quantity"))
    frame("the learner that explains a seat best: in how many episodes", list(likenesses(seats)))
    for line in far:
        near = sorted(CLASSICAL, key=line.__getitem__)
        print(f"{line['arm']}, {line['role']}: distance to " + ", ".join(f"{n} {line[n]:.3f}" for n in near))


def pivot(measured: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """One row per arm and role, with an estimate, and its interval if it has one, under each name of a column."""
    names = list(dict.fromkeys(m[column] for m in measured))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for m in measured:
        row = found.setdefault((m["arm"], m["role"]), {"arm": m["arm"], "role": m["role"], "seat": m["seat"], **dict.fromkeys(names)})
        row[m[column]] = shown(m["value"]) + (f" [{shown(m['low'])}, {shown(m['high'])}]" if m["low"] is not None else "")
    return list(found.values())


def _tell_each(seats: list[dict[str, Any]]) -> None:
    for s in seats:
        print(f"{s['arm']} {s['episode']} {s['role']}: {s['learner']} {s['setting']} (agreement {s['agreement']:.2f}, "
              f"{s['margin']:.1f} BIC before {s['next']})")


# --- whether the fit can be believed --------------------------------------------------------------------------------------
def recovery(args: Namespace) -> int:
    """The confusion matrix of known learners, a row per algorithm that played, and the balanced accuracy."""
    from .recovery import KNOWN, recovered
    from .screen import frame

    if args.choices < 10 or args.seeds < 1:
        raise FieldError("--choices is at least 10 and --seeds at least 1.")
    start = time.perf_counter()
    found = recovered(range(args.seed, args.seed + args.seeds), args.choices, args.seat == "leader", _counting)
    if args.json:
        return emit({"choices": args.choices, "seat": args.seat, "counts": found.counts, "balanced_accuracy": found.balanced})
    frame(f"played by (rows), explained best by (columns, the same in order); {args.choices} choices of a {args.seat}",
          [{"": f"{i} {name}", **{str(j): found.counts[name][other] for j, other in enumerate(KNOWN, 1)}}
           for i, name in enumerate(KNOWN, 1)])
    print(f"{found.right} of {found.of} recovered, balanced accuracy {found.balanced:.1%}; {time.perf_counter() - start:.0f} s")
    return 0


def _counting(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{of} fits", end="\n" if done == of else "", file=sys.stderr, flush=True)


COMMANDS: dict[str, Callable[[Namespace], int]] = {"simulate": simulate, "learners": learners, "recovery": recovery}
