"""Who is to blame: one email transcript forked, adviser, human and wording swapped; the gap to 2.5 attributed.

    v(S)   what the human gets if the parts in S are as they should be, the others as they were recorded
    parts  adviser: honest for a liar; human: the optimum for the model; wording: the first for the one it was told in

With a report that is right with chance q, asking and following is worth q G + (1 - q) L - c. Lies with chance l make of q
q (1 - l) + (1 - q) l. A mock passes with chance .3 and then chooses at random, whatever it hears: (R + G/2 + L/2 + G/2 + L/2) / 3 - .7 c.
"""
from collections.abc import Mapping
from itertools import combinations, permutations
from typing import Any

from ...reports.document import Figure, Section, Table
from ...transcripts.sampling import Row
from ...transcripts.shares import shapley
from ...transcripts.statistics import mean
from ...transcripts.store import Store
from ..api import blamed, synchronous
from ..design import game_of
from ..fork import Change, fork
from .stage import Line, Shown, Stage, commands, line

TITLE = "Who is to blame?"
QUESTION = ("Somebody could get 2.5 out of an email game with an AI at her side, and gets less. The AI lies three times in ten, she does "
            "not play as well as one can, and the story she was told is not the one she knows. How much of the gap is whose?")
DESIGNS = ("who_is_to_blame",)
PARTS: dict[str, Change] = {"adviser": Change(seats={"ai": {"agent": "strategy"}}), "human": Change(seats={"human": {"agent": "strategy"}}),
                            "wording": Change(wording="plain")}
LIES, PASSES = 0.3, 0.3
COPIES = 300
ALIKE = ("Person and wording share alike, because either alone repairs the other: a person who plays the optimum plays it in any words, "
         "and the memoriser in the words it knows. Swapping seats alone would have put all of that on the person.")
Coalition = frozenset[str]


def coalitions() -> list[Coalition]:
    """Every set of parts that may be put right, none of them first."""
    return [frozenset(some) for k in range(len(PARTS) + 1) for some in combinations(PARTS, k)]


def expected(right: Coalition) -> float:
    """v(S) for a mock that knows the first wording by heart."""
    game: Any = game_of({"name": "email"})
    if not right & {"human", "wording"}:
        return float((game.gain - game.thinking_cost + game.gain + game.loss) / 3 - (1 - PASSES) * game.ask_cost)
    q = game.accuracy if "adviser" in right else game.accuracy * (1 - LIES) + (1 - game.accuracy) * LIES
    return float(q * game.gain + (1 - q) * game.loss - game.ask_cost)


def together(some: Coalition) -> Change:
    """All these changes at once."""
    made = [PARTS[name] for name in PARTS if name in some]
    words = next((c.wording for c in made if c.wording), None)
    return Change(seats={role: spec for c in made for role, spec in c.seats.items()}, wording=words)


def play(stage: Stage) -> Shown:
    """A run is recorded; its first transcript is forked for every set of parts; then the seats of all of it are swapped."""
    run = stage.run(stage.design("who_is_to_blame"))
    times = stage.episodes or COPIES
    paid = {some: _forked(stage.store, run, some, times) for some in coalitions()}
    lines = [line(f"payoff, {_named(some)}", expected(some) if stage.mocked else None, mean(_rows(worth)), "v(S)" if stage.mocked else "")
             for some, worth in paid.items()]
    orders = list(permutations(PARTS))
    want = shapley(orders, {some: expected(some) for some in paid})
    parts = [shapley(orders, {some: worth[copy] for some, worth in paid.items()}) for copy in range(times)]
    shares = [line(f"share of the gap, {name}", want[name] if stage.mocked else None,
                   mean(_rows(dict(enumerate(p[name] for p in parts)))), "Shapley value of v" if stage.mocked else "") for name in PARTS]
    swapped, _, scores = blamed(run, "human", None, True, stage.store)
    best = expected(frozenset(PARTS))
    said = ", ".join(f"{x.what.rpartition(' ')[2]} {x.found:.2f}" for x in shares)
    gap = (lines[-1].found or 0.0) - (lines[0].found or 0.0)
    finding = f"Of the {gap:.2f} by which play as recorded falls short of play with all put right, worth {best:g} on average: {said}."
    return Shown(lines + shares, f"{finding} {ALIKE}" if stage.mocked else finding, [_figure(shares)],
                 [_seats(scores), commands("who_is_to_blame", DESIGNS)], [run, swapped])


def _forked(store: Store, run: str, some: Coalition, times: int) -> dict[int, float]:
    """Copy -> what the human got, of the first transcript with these parts put right."""
    made, _ = synchronous(fork(f"{run}/0", 0, together(some), times, store))
    rows = store.rows("SELECT f.copy, p.net FROM fork f JOIN payoff p USING (run, episode) WHERE run = ? AND p.role = 'human'", [made])
    return {r["copy"]: r["net"] for r in rows}


def _rows(worth: Mapping[int, float]) -> list[Row]:
    """Copies as observations."""
    return [Row(value=x, key=str(copy), signature=str(copy)) for copy, x in worth.items()]


def _named(some: Coalition) -> str:
    if not some:
        return "as recorded"
    return ("all" if len(some) == len(PARTS) else " and ".join(p for p in PARTS if p in some)) + " put right"


def _seats(scores: list[dict[str, Any]]) -> Section:
    rows = [{"of": s["role"], "seat": s["seat"], "share": s["value"], "low": s["low"], "high": s["high"], "episodes": s["n"],
             "interval": s["method"]} for s in scores]
    return Section("Seats alone, over every recorded episode", [
        Table("seats", rows, "What parlour blame says: the gap of the human to the optimum with the AI on the recorded draws, shared "
              "between the two seats. luck: what the optimum is worth on average less what it got on these draws.")])


def _figure(shares: list[Line]) -> Figure:
    from ...reports.figures import intervals
    rows = [{"what": x.what.rpartition(" ")[2], "value": x.found, "low": x.low, "high": x.high, "expected": x.expected} for x in shares]
    return Figure("shares", intervals(rows, "what", "share of the gap to 2.5", "expected"),
                  "Shares of the gap, from forks of one transcript, with their 95% intervals; the red mark is what was expected.", rows)
