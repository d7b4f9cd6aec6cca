"""A human sends a brief, an AI writes a text for it, and two scorers say what the text is worth to each; round after round.

    a    briefs         K texts that the human chooses from; of one with several wordings nature sends any, all alike
    b    styles         B ways to write that the AI chooses from; none: it writes as it likes, and B is 1
    m    levels         a scorer gives 1 .. m, and score s earns (s - 1) / (m - 1), within [0, 1]
    own                 the most characters of a brief that the human writes herself instead; 0: she may not
    longest             the most characters of a text; None: no limit
    u1   human_means    what brief a answered in style b earns the human on average    K x B, empty: not known
    u2   ai_means       ... the AI                                                      K x B, empty: not known
         scores         found by sampling, instead of means: scores[a][b][w] holds pairs (human's score, AI's) of the texts for
                        wording w of brief a in style b                                 K x B x W x n, n at least 1
    T    horizon        rounds; g `tolerance`, `known` as in `prompting`

What a text earns is in the play: its scores are moves. The cells' means are estimates (`parlour calibration`), and so are all
solutions, which are those of `prompting` on the means: `stackelberg`, `tolerant`, bounds, per round. With `scores` each has as
measures the bootstrap interval of its value, `human_low`, `human_high`, `ai_low`, `ai_high`; the two equilibria also `chosen_again`,
the share of resamples with the same cell, and `human_crossed`, `ai_crossed`: the cell chosen on one half of the draws, evaluated on
the other, with `_low` and `_high`. The plain value is too high on average, for it is that of the cell that looked best; the crossed
one is not (games/solvers/cells.py).
Where the AI writes as it likes, `stackelberg` is the best reply to the writer that was sampled; where the human may write briefs,
it is no solution, only what the listed ones are good for: a baseline. Under a protocol without texts a pair of brief and style
earns what it earns on average or, given scores, one of its pairs of scores, drawn from the tape. Declining is worth -1 to both.
Ties as in `prompting`. A strategy that scores knows no text: it gives every text what the benchmark's cell earns on average.
Checked example (the defaults): stackelberg (.6, .7), the second brief written plainly.

Source: K. Donahue, N. Immorlica, M. Jagadeesan, B. Lucier, A. Slivkins, "Impact of decentralized learning on player utilities in
Stackelberg games", ICML 2024, arXiv:2403.00188; N. Immorlica, "Theoretical models of generative AI in economic environments":
the game; cells of real text, and their uncertainty, are built here.
"""
from functools import cached_property
from random import Random
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ..errors import RulesError
from .base import Benchmark, Information, Mixed, Move, Observation, Play, Role, Rounds, Rules, State, Strategy, heard, surely
from .prompting import INFEASIBLE, Prompting, Tape, averaged
from .prompting_words import Prompt, Response, Verdict, labels
from .repeated import Repeated, Round
from .solvers import cells, tape
from .written_prompting_words import BUREAU, OWN, PLAIN, Desk, Missing, OwnBrief, Scored, Text, limited, wants
from .written_sample import uncertainty

Words = Annotated[str, Field(min_length=1)]
Brief = Annotated[tuple[Words, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given), Field(min_length=1)]
"""A brief in one wording or several."""
Score = Annotated[int, Field(ge=1)]
Scores = tuple[tuple[Score, Score], ...]
Rows = tuple[tuple[Annotated[float, Field(ge=0, le=1)], ...], ...]
WRITER, SCORER_HUMAN, SCORER_AI = "writer", "scorer_human", "scorer_ai"
"""Seats, beside the players, that a protocol with texts may have."""
UNKNOWN = "what the cells earn is not known: sample them under protocol 'brief_calibration', and see `parlour calibration`"


class WrittenPrompting(Repeated):
    wordings = (PLAIN, BUREAU)
    textbook = ("prompting game", "stackelberg", "bandit", "prompting")
    ties = "the leader's favourite answer, then the lowest index"

    briefs: Annotated[tuple[Brief, ...], Field(min_length=1)] = (("Praise a pencil in one line.",), ("Say in one line what a pencil is.",))
    styles: tuple[Words, ...] = ("in rhyme", "plainly")
    levels: Annotated[int, Field(ge=2)] = 5
    own: Annotated[int, Field(ge=0)] = 0
    longest: Annotated[int, Field(ge=1)] | None = None
    human_means: Rows = ((0.5, 0.8), (0.4, 0.6))
    ai_means: Rows = ((0.8, 0.3), (0.4, 0.7))
    scores: tuple[tuple[tuple[Scores, ...], ...], ...] = ()
    horizon: Annotated[int, Field(ge=1)] = 2
    tolerance: Annotated[float, Field(ge=0)] = 0.05
    known: bool = False

    @model_validator(mode="before")
    @classmethod
    def _means_of_others(cls, given: Any) -> Any:
        """The means of the default briefs are not those of others."""
        if isinstance(given, dict) and {"briefs", "styles", "scores"} & set(given):
            return {"human_means": (), "ai_means": ()} | given
        return given

    @model_validator(mode="after")
    def _fits(self) -> "WrittenPrompting":
        shape = [max(1, len(self.styles))] * len(self.briefs)
        for name, rows in (("human_means", self.human_means), ("ai_means", self.ai_means), ("scores", self.scores)):
            if rows and [len(row) for row in rows] != shape:
                raise ValueError(f"{name} must have a row for each of the {len(shape)} briefs, of {shape[0]} numbers each: one per "
                                 "style, or one if there are none; leave it empty where nothing is known")
        if bool(self.human_means) != bool(self.ai_means) or (self.scores and self.human_means):
            raise ValueError("give human_means and ai_means, or the scores that they are made of, or none of them")
        for brief, row in zip(self.briefs, self.scores, strict=bool(self.scores)):
            if any(len(cell) != len(brief) or not all(cell) for cell in row):
                raise ValueError("scores: every cell needs scores for each wording of its brief, at least one pair")
        if any(s > self.levels for row in self.scores for cell in row for draws in cell for pair in draws for s in pair):
            raise ValueError(f"scores: a score is at most levels = {self.levels}")
        if self.known and not self.calibrated:
            raise ValueError("known: the means cannot be told before they are known; give them, or scores")
        return self

    @property
    def calibrated(self) -> bool:
        """Whether the cells' means are known."""
        return bool(self.human_means or self.scores)

    @cached_property
    def earned(self) -> cells.Sample:
        """The sample as what it earned."""
        return tuple(tuple(tuple(tuple((self.worth(h), self.worth(i)) for h, i in draws) for draws in cell) for cell in row)
                     for row in self.scores)

    @cached_property
    def matrix(self) -> Prompting:
        """The game of the cells' means; of zeros where they are not known."""
        u1, u2 = cells.means(self.earned) if self.scores else (self.human_means, self.ai_means)
        nothing = ((0.0,) * max(1, len(self.styles)),) * len(self.briefs)
        return Prompting(human_means=u1 or nothing, ai_means=u2 or nothing, horizon=self.horizon, tolerance=self.tolerance,
                         known=self.calibrated)

    def worth(self, score: int) -> float:
        """What a score earns, 0 .. 1."""
        return (score - 1) / (self.levels - 1)

    # --- who knows what -------------------------------------------------------------------------------------------------
    def players(self) -> tuple[Role, ...]:
        return ("human", "ai")

    def states(self) -> tuple[tuple[float, State], ...] | None:
        return None if self.scores else ((1.0, Tape(seed=0)),)

    def sample(self, rng: Random) -> State:
        return Tape(seed=rng.getrandbits(53) if self.scores else 0)

    def observe(self, role: Role, state: State) -> Observation:
        means = (self.matrix.human_means, self.matrix.ai_means) if self.known else (None, None)
        return Desk(briefs=tuple(b[0] for b in self.briefs), styles=self.styles, own=self.own, longest=self.longest,
                    human=means[0], ai=means[1])

    def rounds(self, role: Role) -> Rounds:
        mine, others = (self.prompts, self.responses) if role == "human" else (self.responses, self.prompts)
        return Rounds(total=self.horizon, leads=role == "human", options=mine, others=others)

    # --- what may be done -----------------------------------------------------------------------------------------------
    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """a1 ... aK, and `own` where a brief of one's own may be sent."""
        return labels("a", len(self.briefs)) + ((OWN,) if self.own else ())

    @property
    def responses(self) -> tuple[str, ...]:
        """b1 ... bB; b1 where there are no styles."""
        return self.matrix.responses

    def want(self, role: Role) -> type[Move]:
        return wants(self.prompts, self.responses)[role]

    @property
    def want_text(self) -> type[Move]:
        """The Move of one who writes for a brief."""
        return limited(Text, self.longest)

    @property
    def want_brief(self) -> type[Move]:
        """The Move of one who writes a brief of her own."""
        return limited(OwnBrief, self.own)

    @property
    def length(self) -> int:
        return self.horizon

    @property
    def joint(self) -> type[Move]:
        return self.matrix.joint

    def split(self, both: Move) -> tuple[Move, Move]:
        return self.matrix.split(both)

    @property
    def verdict(self) -> type[Move]:
        return Verdict

    def declines(self, verdict: Move) -> bool:
        return self.matrix.declines(verdict)

    @property
    def worth_declined(self) -> float:
        return INFEASIBLE

    def admit(self, rules: Rules) -> None:
        if rules.get("texts"):
            return
        if rules.get("rounds") is None:
            raise RulesError("this game is played in rounds: use protocol \"written_prompting\".")
        if not self.calibrated or self.own:
            raise RulesError("without texts only the listed briefs can be sent, and only where the means of the cells are known: "
                             "use protocol \"written_prompting\", or give the means and set own = 0.")

    @property
    def usual_protocol(self) -> str:
        return "written_prompting"

    @property
    def usual_rules(self) -> Rules:
        return Rules.of(rounds=self.horizon, information="response", price=0.0, decline=False, texts=True)

    # --- what it is worth -----------------------------------------------------------------------------------------------
    def reward(self, state: State, lead: Move, answer: Move, visit: int) -> dict[Role, float]:
        if not self.scores:
            return self.matrix.reward(state, lead, answer, visit)
        assert isinstance(state, Tape)
        a, b = self.matrix.cell(lead, answer)
        cell, number = self.earned[a][b], a * len(self.responses) + b
        draws = cell[int(tape.uniform(state.seed, number, visit, 0) * len(cell))]
        human, ai = draws[int(tape.uniform(state.seed, number, visit, 1) * len(draws))]
        return {"human": human, "ai": ai}

    def payoffs(self, play: Play) -> dict[Role, float]:
        """Mean reward per round, or per cell where cells are sampled; 0 if nothing was scored."""
        return averaged(self.rewards(play))

    def means(self, play: Play) -> dict[Role, float]:
        """As paid, for scores are moves; without texts the mean of the cells that were met."""
        return self.payoffs(play) if _texts(play) else self.matrix.means(play)

    def paid(self, scored: Scored) -> dict[Role, float]:
        """What two scores earn."""
        return {"human": self.worth(scored.human), "ai": self.worth(scored.ai)}

    def history(self, play: Play) -> list[Round]:
        found: list[Round] = []
        for _, move in play.moves:
            if isinstance(move, Prompt):
                found.append(Round(move, self._only, False))
            elif isinstance(move, Response):
                found[-1] = found[-1]._replace(answer=move)
            elif isinstance(move, Verdict):
                found[-1] = found[-1]._replace(declined=self.declines(move))
        return found

    @property
    def _only(self) -> Response:
        """The response where there are no styles to choose from."""
        return Response(response_id=self.responses[0])

    def rewards(self, play: Play) -> list[dict[Role, float]]:
        return self._written(play) if _texts(play) else super().rewards(play)

    def _written(self, play: Play) -> list[dict[Role, float]]:
        found = []
        for _, move in play.moves:
            if isinstance(move, Scored):
                found.append(self.paid(move))
            elif isinstance(move, Verdict) and self.declines(move):
                found.append({"human": INFEASIBLE, "ai": INFEASIBLE})
        return found

    @property
    def measured(self) -> bool:
        return self.calibrated and not self.own

    def bounds(self, role: Role) -> tuple[float, float]:
        return INFEASIBLE, 1.0

    def benchmarks(self, rules: Rules) -> list[Benchmark]:
        found = self.matrix.benchmarks(rules)
        if not self.calibrated:
            return [b.model_copy(update={"value": dict.fromkeys(b.value), "measures": dict.fromkeys(b.measures), "note": UNKNOWN})
                    for b in found]
        sure = uncertainty(self.earned, self.tolerance, rules.get("price", 0.0)) if self.scores else {}
        return [self._known(b, rules, sure.get(b.name, {})) for b in found]

    def _known(self, b: Benchmark, rules: Rules, sure: dict[str, float | None]) -> Benchmark:
        """A benchmark of the means as it holds here, with what is known of its error."""
        kind, why = b.kind, ""
        if kind == "equilibrium" and rules.get("calibrates"):
            kind, why = "bound", "nobody chooses here"
        elif kind == "equilibrium" and self.own and rules.get("texts"):
            kind, why = "baseline", "no solution where the human may write briefs: the best of those listed"
        elif kind == "equilibrium" and not self.styles:
            kind, why = "best_response", "the best brief for the writer that was sampled"
        note = "; ".join(filter(None, (why, b.note)))
        return b.model_copy(update={"kind": kind, "note": note, "measures": {**b.measures, **sure}})

    def strategy(self, benchmark: str, role: Role, rules: Rules) -> Strategy:
        inner = self.matrix.strategy(benchmark, role, rules)
        at = {b.name: b.value for b in self.matrix.benchmarks(rules.but(price=0.0))}[benchmark]

        def player(information: Information, want: type[Move]) -> Mixed:
            if issubclass(want, Text):
                return surely(want(text="A text."))
            if role in (SCORER_HUMAN, SCORER_AI):
                return self._scored(at["human" if role == SCORER_HUMAN else "ai"] or 0.0, want)
            asked = heard(information, Prompt) if role == "ai" else []
            if asked and asked[-1].prompt_id == OWN:
                return surely(want.model_validate({"response_id": self.responses[0]}))
            return inner(information, want)
        return player

    def _scored(self, mean: float, want: type[Move]) -> Mixed:
        """The two scores next to a mean, with the chances that make it."""
        steps = round(mean * (self.levels - 1), cells.DIGITS)
        low = min(int(steps), self.levels - 2)
        chances = ((1 - (steps - low), low + 1), (steps - low, low + 2))
        return tuple((p, want.model_validate({"score": s})) for p, s in chances if p > 0)


def _texts(play: Play) -> bool:
    """Whether texts were written in a play, or should have been."""
    return any(isinstance(move, Text | Missing) for _, move in play.moves)
