"""A menu of contracts, a report of costs, and payment by the contract of the kind that was reported.

    nature      draws the agent's kind                   told to the agent alone
    principal   posts a contract for every kind
    agent       reports a kind                           cheap talk: nobody checks it
    agent       chooses its generator in private         paid by the contract of the kind it reported
    nature      draws the outcome

Rules: `posts`, `menus`. Source: R. Myerson, "Optimal coordination mechanisms in generalized principal-agent problems", J.
Mathematical Economics 10 (1982).
"""
from ..errors import RulesError
from ..games.base import NATURE, Game, Play, Role, Rules, Saw, State
from ..games.contracting import Outcome
from ..games.screened_contract import ScreenedContract
from .base import Draw, Notes, Protocol, Script


class MenuContract(Protocol):
    """One menu, one report, one text. No fields."""

    def rules(self, game: Game) -> Rules:
        return Rules.of(posts=True, menus=True)

    def seats(self, game: Game) -> tuple[Role, ...]:
        if not isinstance(game, ScreenedContract):
            raise RulesError("a menu needs an agent of several kinds: play 'screened_contract'.")
        return game.players()

    def script(self, game: Game, state: State) -> Script:
        assert isinstance(game, ScreenedContract)
        notes = Notes()
        for role in game.players():
            notes.tell(role, game.observe(role, state))
        menu, = yield (notes.ask("principal", game.want("principal")),)
        notes.tell("agent", game.reveal("agent", "principal", menu))
        report, = yield (notes.ask("agent", game.report),)
        contract = game.signed(menu, report)
        notes.tell("agent", Saw(role="principal", move=contract))
        choice, = yield (notes.ask("agent", game.want("agent")),)
        j, = yield (Draw(game.chances(contract, choice), "outcome"),)
        moves = (("principal", menu), ("agent", report), ("agent", choice), (NATURE, Outcome(outcome=j)))
        return Play(state=state, moves=moves)
