"""Says back what it has just been told: a writer whose text names its task, for rehearsals with texts whose scores are known."""
from ..errors import InputError
from ..games.base import Mixed, Say, surely
from ..protocols.seat import Turn
from .chances import Mixing


class Echo(Mixing):
    """The news of the present ask in words, on one line. It can only speak freely. No fields."""

    def mixed(self, turn: Turn) -> Mixed:
        if not issubclass(turn.ask.want, Say):
            return self.chances(turn)
        told = " ".join(" ".join(o.say(turn.wording, turn.role).split()) for o in turn.ask.news)
        return surely(turn.ask.want.model_validate({"text": told or "Nothing."}))

    def chances(self, turn: Turn) -> Mixed:
        raise InputError(f"agent 'echo' cannot sit as '{turn.role}', asked for a {turn.ask.want.__name__}: it only speaks freely.")
