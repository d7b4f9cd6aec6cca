"""The placebo: a signal in a second-price auction must be worth 0.

Expected: `gain` of the benchmarks `informed`; a bid that is uniform whatever is known earns E[(v - y) 1{b > y}] = 1/12.
"""
from ...reports.document import Figure
from ...transcripts.hypotheses import as_rows, findings
from ...transcripts.statistics import paired
from ..design import game_of
from .stage import Line, Shown, Stage, commands, line

TITLE = "The placebo"
QUESTION = ("An AI tells a bidder exactly what her rival's value is. Where the winner pays the second-highest bid, bidding one's own value "
            "is dominant, so that it cannot help her: it is worth 0. A platform that finds otherwise is broken. Where the winner pays his "
            "own bid the same signal is worth 1/8, and a platform that finds nothing is broken too.")
DESIGNS = ("placebo",)
PAIRS = {"second price, strategies": ("exact signal", "no signal"), "second price, the model": ("exact signal, model", "no signal, model"),
         "first price, strategies": ("first price, exact signal", "first price, no signal")}


def gain(auction: str) -> float:
    """What the exact signal is worth to the one who has it."""
    game = game_of({"name": auction, "signal": "exact"})
    found = {b.name: b for b in game.benchmarks(game.usual_rules)}
    return found["informed"].measures["gain"] or 0.0


def play(stage: Stage) -> Shown:
    """Every auction with and without the signal, on the same values."""
    run = stage.run(stage.design("placebo"))
    arms = stage.arms(run)
    expected = {"second price, strategies": gain("second_price_auction"), "second price, the model": 0.0,
                "first price, strategies": gain("first_price_auction")}
    lines = [line(f"worth of the signal, {name}", expected[name], paired(arms[one].rows("bidder_1"), arms[other].rows("bidder_1")),
                  "dominance" if "second" in name else "gain of the informed") for name, (one, other) in PAIRS.items()]
    lines.append(line("payoff without a signal, second price, the model", 1 / 12 if stage.mocked else None,
                      arms["no signal, model"].estimate("bidder_1"), "uniform bids: 1/12" if stage.mocked else ""))
    with stage.store.reading():
        held = {r["hypothesis"]: r["holds"] for r in as_rows(findings(stage.store, run))}
    said = "; ".join(f"{name}: {'held' if h else 'not held'}" for name, h in held.items())
    return Shown(lines, f"With strategies in the seats the placebo changed no payoff in any auction. The hypotheses of the design, "
                 f"equivalence tests for the placebo and a test for the control: {said}.", [_figure(lines[:3])],
                 [commands("placebo", DESIGNS)], [run])


def _figure(lines: list[Line]) -> Figure:
    from ...reports.figures import intervals
    rows = [{"what": x.what.removeprefix("worth of the signal, "), "value": x.found, "low": x.low, "high": x.high, "expected": x.expected}
            for x in lines]
    return Figure("worth", intervals(rows, "what", "worth of the signal to the bidder who has it", "expected"),
                  "Paired differences with their 95% intervals; the red mark is what was expected.", rows)
