"""Commands over what is on record. Every function takes the parsed arguments and returns the exit code."""
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from ..errors import FieldError
from ..transcripts.store import Store
from ..transcripts.talk import find, find_run, talk
from .commands import POSSIBLY_PAID, afforded, closing, emit, unfinished, warn


def fork(args: Namespace) -> int:
    from ..transcripts.forks import effects
    from ..transcripts.scores import lines, put
    from .api import synchronous
    from .fork import fork as play_on
    from .fork import read_change
    from .screen import differences

    store = Store(args.store)
    name, status = synchronous(play_on(args.episodes, args.at, read_change(args.change), args.times, store, budget=afforded(args.budget)))
    if status != "done":
        return unfinished(store, name, status)
    found = effects(store, name)
    put(store, name, found, 0.95, "forks")
    if args.json:
        return emit({"run": name, "status": status, "store": args.store, "effects": lines(found)})
    differences(found, "fork - origin")
    print(f"\n{name}: {status}. Read a fork with `parlour transcript {name}/0 --store {args.store}`")
    return 0


def blame(args: Namespace) -> int:
    from ..transcripts.scores import lines, put
    from .api import blamed
    from .screen import differences

    store = Store(args.store)
    name, status, found = blamed(args.run, args.role, args.benchmark, args.ask, store, afforded(args.budget))
    if status != "done":
        return unfinished(store, name, status)
    put(store, name, found, 0.95, "shares")
    if args.json:
        return emit({"run": name, "status": status, "store": args.store, "for": args.role, "blame": lines(found)})
    differences(found, f"gap of {args.role}")
    print(f"\n{name}: {status}. The shares sum to the gap between recorded play and the benchmark's on the same draws;\n"
          "luck is what the benchmark is worth on average less what it got on these.")
    return 0


def replay(args: Namespace) -> int:
    from .screen import payoffs, watcher
    if args.delay < 0:
        raise FieldError(f"--delay {args.delay:g}: seconds, 0 or more.")
    store = Store(args.store)
    found, show = talk(store, *find(store, args.id)), watcher()
    for i, entry in enumerate(found.entries):
        if i and args.delay:
            time.sleep(args.delay)
        for event in _events(entry):
            show(event)
        sys.stdout.flush()
    print(payoffs(found))
    return 0


def _events(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """An ask with its replies, or a draw, as the watcher of a live game is told of it."""
    if "draw" in entry:
        return [{"k": "draw", "t": entry["turn"], **entry}]
    return [{"k": "ask", "t": entry["turn"], **entry}, *({"k": "reply", **a} for a in entry["attempts"])]


def score(args: Namespace) -> int:
    from ..transcripts.forks import effects
    from ..transcripts.rescore import differences as changed
    from ..transcripts.rescore import kept
    from ..transcripts.scores import lines
    from ..transcripts.scores import score as compute
    from .screen import differences, table

    if not 0 < args.level < 1:
        raise FieldError(f"--level {args.level:g}: strictly between 0 and 1, e.g. 0.95.")
    store = Store(args.store)
    if store.path.exists():
        with store.open(write=True):  # an older file is brought up to date, as the complaint about one says
            pass
    name = find_run(store, args.run)
    if args.list:
        return _kept(kept(store, name), args.json)
    warn(store, name)
    found = compute(store, name, level=args.level, recompute=args.recompute)
    other, forked = (changed(store, name) if args.recompute else []), effects(store, name, args.level)
    if args.json:
        more = ({"effects": lines(forked)} if forked else {}) | ({"benchmarks_changed": other} if args.recompute else {})
        more["possibly_paid"] = store.rows(POSSIBLY_PAID, [name])
        return emit({"run": name, "status": "scored", "store": args.store, "scores": lines(found), **more})
    table(found)
    if forked:
        differences(forked, "fork - origin")
    for d in other:
        print(f"{d['arm']}: {d['benchmark']}, {d['what']}: {d['recorded']} on record, {d['now']} now")
    if args.recompute and not other:
        print("Benchmarks: as on record.")
    closing(store, name, "scored")
    return 0


def _kept(sets: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        return emit(sets)
    for s in sets:
        level = "" if s["level"] is None else f"  level {s['level']:g}"
        print(f"{s['utc']} UTC  {s['scorer']} {s['version']}{level}  {s['scores']} scores")
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {"fork": fork, "blame": blame, "replay": replay, "score": score}
