"""Reads amounts out of words: the seat that says which payments a contract in prose means, without a model."""
import re
from typing import ClassVar

from pydantic_core import to_json

from ..errors import InputError
from ..games.base import Saw, Say, learned
from ..protocols.seat import Agent, Reply, Turn

NUMBER = r"(-?\d+(?:\.\d+)?)"


class Amounts(Agent):
    """The payments of a text that says them as the wording does, e.g. "grade 2 pays 270 cents"; an outcome of which nothing is
    said pays nothing, and what is said last of it counts. No fields.

    Case and what stands between do not matter. It reads the unit of the wording and no other; it cannot understand "double that".
    """
    reads: ClassVar[bool] = False
    costless: ClassVar[bool] = True

    async def reply(self, turn: Turn) -> Reply:
        return Reply(self.words(turn), model="amounts")

    def mixture(self, turn: Turn) -> tuple[tuple[float, str], ...]:
        return ((1.0, self.words(turn)),)

    def words(self, turn: Turn) -> str:
        """The contract in the last words heard. Raises InputError for a seat that is not asked for payments."""
        said = [o.move.text for o in learned(turn.information, Saw) if isinstance(o.move, Say)]
        field = turn.ask.want.model_json_schema()["properties"].get("payments")
        if not said or field is None or "price" not in turn.wording.texts:
            raise InputError(f"agent 'amounts' cannot sit as '{turn.role}': it reads payments out of words. Seat another agent there.")
        found = re.findall(pattern(turn.wording.texts["price"]), said[-1], re.IGNORECASE)
        paid = {int(number): float(amount) for number, amount in found}
        return to_json({"payments": [paid.get(j, turn.wording.shift) for j in range(1, field["minItems"] + 1)]}).decode()


def pattern(price: str) -> str:
    """The regular expression of a wording's price, with groups for the outcome's number and the amount."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in re.split(r"\{number\}|\{amount\}", price)]
    return rf"\b{parts[0]}\s*(\d+)\s+{parts[1]}\s*{NUMBER}"
