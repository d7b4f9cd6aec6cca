"""From contracts to a design that plays them: each posted in words on the scores of a table, to an agent who chooses unseen."""
from collections.abc import Mapping, Sequence

from ..games.text_contract_words import PLAIN, prices
from .contract_table import Scores


def in_words(payments: Sequence[float]) -> str:
    """A contract as the canonical wording of `text_contract` says it, for the agent `amounts` to read."""
    return prices(PLAIN, payments)


def game_fields(scores: Scores) -> dict[str, object]:
    """The game `text_contract` of a table."""
    return {"name": "text_contract", "costs": list(scores.costs), "outcome_probabilities": [list(row) for row in scores.chances]}


def principal(payments: Sequence[float]) -> dict[str, object]:
    """The seat of a principal who writes that contract."""
    return {"agent": "fixed", "text": in_words(payments), "move": {"meant": True}}


def arms_text(contracts: Mapping[str, Sequence[float]]) -> str:
    """The arms of a design file: a principal for each contract."""
    return "\n".join(f'[[arms]]\nname = "{name}"\nseats.principal = {{agent = "fixed", move = {{meant = true}}, text = "{in_words(t)}"}}\n'
                     for name, t in contracts.items())


def game_text(scores: Scores) -> str:
    """The game of a design file."""
    rows = ",\n  ".join(str(list(row)) for row in scores.chances)
    return f'[game]\nname = "text_contract"\ncosts = {list(scores.costs)}\noutcome_probabilities = [\n  {rows}]\n'
