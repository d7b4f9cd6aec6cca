"""Scores a program by the tests it passes, run in a process with limits of time and memory and without a network."""
from typing import Annotated

from pydantic import Field

from ..errors import InputError
from ..protocols.writing import Key
from .sandbox import passed, program_of
from .scoring import Scorer


class RunTests(Scorer):
    """The share of its task's tests that the program in a text passes, as a score; with two outcomes, all must pass.

    seconds    all tests of one text may take
    megabytes  of memory it may take

    What the process may do, and what it is no protection from: `agents/sandbox.py`.
    """
    seconds: Annotated[int, Field(ge=1)] = 10
    megabytes: Annotated[int, Field(ge=64)] = 512

    async def share(self, text: str, key: Key) -> float:
        if not key.tests:
            raise InputError("agent 'run_tests' needs a task with tests: give the task its `tests`.")
        return await passed(program_of(text), key.tests, self.seconds, self.megabytes) / len(key.tests)
