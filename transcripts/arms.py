"""One arm of a run as its scores see it: its game, its episodes, and the rows of any quantity of them."""
from collections.abc import Iterable, Iterator, Mapping
from hashlib import md5
from typing import Any, Literal

from pydantic_core import from_json

from ..games.base import Benchmark, Game, Rules
from ..protocols.codec import decode
from ..registry import build
from .channel import Told, realised_channel
from .intervals import wilson
from .sampling import DRAWS, Row
from .statistics import Estimate, Inference, mean
from .store import Store

Score = dict[str, Any]
BLANK: Score = {
    "role": "", "seat": "", "benchmark": "", "benchmark_value": None, "kind": "", "value": None, "low": None, "high": None,
    "worst": None, "best": None, "n": 0, "missing": 0, "clusters": 0, "effective_n": 0.0, "icc": None, "distinct": None, "method": "",
    "note": "", "first": False}

EPISODES = """
WITH words AS (
    SELECT a.episode, md5(string_agg(k.role || ':' || coalesce(a.words, ''), chr(31) ORDER BY a.turn, a.try)) AS signature
    FROM attempt a JOIN ask k USING (run, episode, turn) WHERE run = $run AND a.verdict <> 'error' GROUP BY 1),
draws AS (SELECT episode, string_agg(draw, ',' ORDER BY turn) AS drawn FROM draw WHERE run = $run GROUP BY 1)
SELECT e.episode, e.arm, e.wording, e.persona, e.stratum, e.weight, e.replicate, coalesce(w.signature, '') AS signature,
       md5(e.state || coalesce(d.drawn, '')) AS input, n.status,
       list({role: p.role, net: p.net, mean: p.mean, low: p.low, high: p.high}) AS payoffs
FROM episode e JOIN ending n USING (run, episode) JOIN payoff p USING (run, episode)
LEFT JOIN words w USING (episode) LEFT JOIN draws d USING (episode)
WHERE e.run = $run GROUP BY ALL ORDER BY e.episode
"""

VERDICTS = """
WITH reply AS (
    SELECT k.role, coalesce(a.prompt, md5(k.news)) AS question, a.words, a.verdict
    FROM attempt a JOIN ask k USING (run, episode, turn) JOIN episode e USING (run, episode)
    WHERE run = ? AND e.arm = ? AND verdict <> 'error'),
question AS (
    SELECT role, count(*) AS n, count(*) FILTER (verdict IN ('invalid', 'truncated')) AS invalid,
           count(*) FILTER (verdict = 'refusal') AS refused,
           CASE WHEN count(DISTINCT words) = 1 THEN 1 ELSE count(*) END AS observations
    FROM reply GROUP BY role, question)
SELECT role, sum(n)::INTEGER AS n, sum(invalid)::INTEGER AS "invalid replies", sum(refused)::INTEGER AS refusals,
       sum(observations)::INTEGER AS observations
FROM question GROUP BY role ORDER BY role
"""
"""Replies of an arm per role. A question that always got the same words is one observation, however often it was asked."""


def arms_of(store: Store, run: str, level: float = 0.95, inference: Inference | None = None) -> list["Arm"]:
    """The arms of a run of which an episode has ended.

    inference  how clusters are reckoned with, if not as the design of the run says
    """
    by_arm: dict[str, list[dict[str, Any]]] = {}
    for e in store.rows(EPISODES.replace("$run", "?"), [run, run, run]):
        by_arm.setdefault(e["arm"], []).append(e)
    how = inference or inference_of(store, run)
    return [Arm(store, run, arm, by_arm[arm["arm"]], level, how) for arm in store.rows("SELECT * FROM arm WHERE run = ?", [run])
            if arm["arm"] in by_arm]


def inference_of(store: Store, run: str) -> Inference:
    """How the design of a run says that clusters are reckoned with."""
    found: Inference = store.rows("SELECT coalesce(design ->> 'inference', 't') AS how FROM run WHERE run = ?", [run])[0]["how"]
    return found


class Arm:
    """The scores of one arm."""

    def __init__(self, store: Store, run: str, arm: dict[str, Any], episodes: list[dict[str, Any]], level: float,
                 inference: Inference = "t"):
        self.store, self.run, self.name, self.episodes, self.level = store, run, arm["arm"], episodes, level
        self.inference: Inference = inference
        self.game: Game = build("games", arm["game"], from_json(arm["game_fields"]))
        self.rules = Rules.of(**from_json(arm["rules"]))
        self.protocol_fields: Mapping[str, Any] = from_json(arm["protocol_fields"])
        self.seats: Mapping[str, dict[str, Any]] = from_json(arm["seats"])
        self.exact = bool(arm["exact"])
        self.met_again = len({(e["stratum"], e["replicate"]) for e in episodes}) < len(episodes)
        self.worded = store.rows("SELECT count(a.prompt) > 0 AS worded FROM attempt a JOIN episode e USING (run, episode) "
                                 "WHERE run = ? AND e.arm = ?", [run, arm["arm"]])[0]["worded"]
        self.benchmarks = [Benchmark(name=b["name"], kind=b["kind"], source=b["source"], value=from_json(b["value"]),
                                     measures=from_json(b["measures"]), note=b["note"]) for b in store.rows(
            "SELECT * FROM benchmark WHERE run = ? AND arm = ?", [run, arm["arm"]])]

    def scores(self) -> Iterator[Score]:
        for i, role in enumerate(self.seated()):
            yield self.line("payoff", role, estimate=self.estimate(role)) | {"first": i == 0}
        for b in self.benchmarks:
            for key, value in b.value.items():
                if value is not None:
                    yield from self._gaps(b, key, value)
        yield from self._rates()
        yield from self._channels()

    def seated(self) -> list[str]:
        """The roles somebody sits at, and those that only receive."""
        return [r for r in self.game.roles() if r in self.seats or r in (*self.game.payees, *self.game.players())]

    # --- means ----------------------------------------------------------------------------------------------------------
    def estimate(self, name: str, less: float = 0.0) -> Estimate:
        """The mean net payoff of a role, or of the members of a group, less a constant."""
        return self.mean(self.rows(name, less))

    def mean(self, rows: Iterable[Row]) -> Estimate:
        """The mean of rows of this arm."""
        return mean(rows, self.level, self.exact, self.inference)

    def rows(self, name: str, less: float = 0.0, of: Literal["net", "mean"] = "net") -> list[Row]:
        """One row per episode: a role's net payoff, or the mean over a group's members, less a constant.

        of  `net` as it was paid, `mean` as expected given the moves
        """
        members, found = self.game.members(name), []
        for e in self.episodes:
            paid = [p for p in e["payoffs"] if p["role"] in members]
            nets = [p[of] for p in paid]
            found.append(self.row(e, None if None in nets else sum(nets) / len(nets) - less,
                                  sum(p["low"] for p in paid) / len(paid) - less, sum(p["high"] for p in paid) / len(paid) - less))
        return found

    def row(self, e: dict[str, Any], value: float | None, low: float, high: float) -> Row:
        """The row of one episode with some value of it."""
        return Row(value=value, weight=e["weight"], stratum=e["stratum"], clusters=self._clusters(e), signature=e["signature"],
                   input=e["input"], low=low, high=high, key=f"{e['stratum']}/{e['replicate']}/{e['wording']}/{e['persona']}")

    def _clusters(self, e: dict[str, Any]) -> dict[str, str]:
        """What repeats: wordings, personas, and the state and draws that several wordings, personas or copies meet alike.

        A wording that no seat was shown in words (strategies and statistical people read data) is not a cluster.
        """
        tape = {DRAWS: f"{e['stratum']}/{e['replicate']}"} if self.met_again and not self.exact else {}
        return {"wording": e["wording"] if self.worded else "", "persona": e["persona"], **tape}

    def _gaps(self, b: Benchmark, key: str, value: float) -> Iterator[Score]:
        for role in (self.game.members(key) if key not in self.game.roles() else (key,)):
            estimate = self.estimate(role, value)
            yield self.line("gap", role, b.name, estimate) | {"benchmark_value": value, "kind": b.kind}

    # --- rates ----------------------------------------------------------------------------------------------------------
    def _rates(self) -> Iterator[Score]:
        lost = sum(1 for e in self.episodes if any(p["net"] is None for p in e["payoffs"]))
        yield self._rate("", "unfinished (forfeit or error)", lost, len(self.episodes))
        for v in self.store.rows(VERDICTS, [self.run, self.name]):
            for what in ("invalid replies", "refusals"):
                yield self._rate(v["role"], what, v[what], v["n"], v["observations"])

    def _rate(self, role: str, what: str, hits: int, n: int, observations: int | None = None) -> Score:
        low, high = wilson(hits, n, self.level, observations)
        return self.line("rate", role, what) | {"value": hits / n, "low": low, "high": high, "n": n,
                                                 "effective_n": observations or n, "method": "Wilson"}

    # --- the realised channel -------------------------------------------------------------------------------------------
    def _channels(self) -> Iterator[Score]:
        for adviser in dict.fromkeys(self.game.advisers().values()):
            told = list(self._told(adviser))
            if not told:
                continue
            found = realised_channel(told, self.level)
            for what, rate in (("note right", found.accuracy), ("report repeats note", found.truthfulness),
                               ("report right", found.realised)):
                low, high = (rate.rate, rate.rate) if self.exact else (rate.low, rate.high)
                yield self.line("channel", adviser, what) | {
                    "value": rate.rate, "low": low, "high": high, "n": rate.n, "effective_n": rate.effective_n,
                    "method": "exact" if self.exact else "Wilson"}
            if found.correlation is not None and not self.exact:
                yield self.line("channel", adviser, "correlation of repeated reports") | {"value": found.correlation,
                                                                                            "n": found.reports}
            yield from self._recalibrated(adviser, found.realised.rate)

    def _told(self, adviser: str) -> Iterator[Told]:
        """Every report of an adviser with the note it had, as the game reads them."""
        asked = self.store.rows(
            "SELECT episode, e.weight, e.state, k.news, a.move FROM ask k JOIN attempt a USING (run, episode, turn) JOIN episode e "
            "USING (run, episode) WHERE run = ? AND e.arm = ? AND k.role = ? AND a.verdict = 'ok' AND a.move IS NOT NULL "
            "ORDER BY episode, turn", [self.run, self.name, adviser])
        note, last, shown = None, -1, ""
        kinds: dict[str, set[type]] = {}
        for row in asked:
            state = decode(from_json(row["state"]))
            if row["state"] not in kinds:
                kinds[row["state"]] = {type(n) for _, n in self.game.notes(adviser, state)}
            if row["episode"] != last:
                note, last, shown = None, row["episode"], ""
            shown += row["news"]
            for seen in map(decode, from_json(row["news"])):
                note = seen if type(seen) in kinds[row["state"]] else note
            read = self.game.channel(state, note, decode(from_json(row["move"]))) if note else None
            if read:
                yield Told(*read, weight=row["weight"], episode=str(row["episode"]), state=md5(row["state"].encode()).hexdigest(),
                           question=md5(shown.encode()).hexdigest())

    def _recalibrated(self, adviser: str, realised: float) -> Iterator[Score]:
        """The benchmarks at the accuracy that was realised, beside the nominal ones."""
        game = self.game.recalibrated(realised)
        for b in game.benchmarks(self.rules) if game else ():
            for key, value in b.value.items():
                if value is not None:
                    yield self.line("recalibrated", adviser, f"{b.name} for {key} at accuracy {realised:.3g}") | {
                        "value": value, "kind": b.kind, "first": b.name == self.game.usual}

    def line(self, quantity: str, role: str, benchmark: str = "", estimate: Estimate | None = None) -> Score:
        """One score, with the seat of its role."""
        line = {**BLANK, "arm": self.name, "quantity": quantity, "role": role, "benchmark": benchmark,
                "seat": self.seats.get(role, {}).get("agent", "")}
        if estimate:
            e = estimate
            line |= {"value": e.mean, "low": e.low, "high": e.high, "worst": e.worst, "best": e.best, "n": e.n,
                     "missing": e.missing, "clusters": e.clusters, "effective_n": e.effective_n, "icc": e.icc,
                     "distinct": e.distinct, "method": e.method, "note": e.note}
        return line
