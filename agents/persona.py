"""A language model told whom to play: a human proxy, never a human."""
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ..protocols.seat import Turn
from .llm import LLM


class Persona(LLM):
    """A model that answers as a person with the traits given; the fields of the model come beside these, as for `llm`.

    age          years
    gender, occupation, country, education    as they would stand after "gender:", ...
    traits       anything else, in sentences
    persona      more text about the person, after the rest
    called       what a table calls such a seat

    With none of these it is asked to answer as an ordinary person would.
    """
    called: ClassVar[str] = "human proxy"

    age: Annotated[int, Field(ge=0, le=130)] | None = None
    gender: str | None = None
    occupation: str | None = None
    country: str | None = None
    education: str | None = None
    traits: str | None = None

    @property
    def portrait(self) -> str:
        """The person in words."""
        facts = {"age": self.age, "gender": self.gender, "occupation": self.occupation, "country": self.country,
                 "education": self.education}
        known = "; ".join(f"{name}: {fact}" for name, fact in facts.items() if fact is not None)
        whom = "an ordinary person with no special training"
        if known or self.traits or self.persona:
            whom = f"this person ({known})" if known else "the person described here"
        task = f"Answer as {whom} would, with that person's knowledge, habits and limits, not as an AI."
        return " ".join(filter(None, (task, self.traits, self.persona)))

    def request(self, turn: Turn, shaped: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        return LLM.request(self.model_copy(update={"persona": self.portrait}), turn, shaped)
