"""The one error tree. Each leaf says what its reader can do.

    ParlourError
    ├── InputError           you asked for something that cannot be: the message says what and what to do; exit code 2
    │   ├── UnknownName      no game, protocol, agent, benchmark or wording of that name
    │   ├── FieldError       a field is missing, unknown or out of its range
    │   ├── RulesError       this game cannot be played under this protocol
    │   ├── DesignError      a design file that does not say what to run
    │   ├── StoreError       a store, journal or cache that cannot be opened, read or written
    │   │   └── NotKept      a reply is not in the cache, which is only read
    │   └── BudgetSpent      one more call might cost more than is left: the run stops, and goes on with a larger budget
    ├── ProviderError        the model's service failed: never a player's move
    │   ├── Transient        429, 5xx, timeouts, dropped lines: tried again, after `retry_after` seconds if the service said so
    │   ├── Unreachable      nobody answers at the address
    │   └── Fatal            wrong key, unknown model, refused request: trying again cannot help, the run stops
    ├── Invalid              words that are not the move owed: the complaint goes back to the seat
    ├── Forfeit              a seat owed a move and gave none that is valid
    └── Paused               a seat will answer later, perhaps in another process
"""


class ParlourError(Exception):
    """Whatever Parlour itself raises."""


class InputError(ParlourError):
    """Bad input: one line that says what is wrong and what to do. Exit code 2."""


class UnknownName(InputError):
    """No such game, protocol, agent, benchmark or wording."""


class FieldError(InputError):
    """A field is missing, unknown or out of its range."""


class RulesError(InputError):
    """The game cannot be played under these rules."""


class DesignError(InputError):
    """A design file that does not say what to run."""


class StoreError(InputError):
    """A store, journal or cache that cannot be opened, read or written."""


class NotKept(StoreError):
    """A reply is not in the cache, which is only read: nobody was asked for it."""


class BudgetSpent(InputError):
    """One more call might cost more than is left of the budget."""


UNMADE = "no call was made"
"""The note on a cancellation that came while a call waited for room in the budget."""


class ProviderError(ParlourError):
    """The model's service failed. Never a player's move."""


class Transient(ProviderError):
    """Worth trying again, after `retry_after` seconds if the service said so.

    status  the HTTP status it answered with; None if it did not, so that the call may have been paid for
    """

    def __init__(self, message: str, retry_after: float | None = None, status: int | None = None):
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class Unreachable(Transient):
    """Nobody answers at the address."""


class Fatal(ProviderError):
    """Trying again cannot help: wrong key, unknown model, a request the service will not take."""


class Invalid(ParlourError):
    """Words that are not the move owed. `str()` is the complaint that goes back to the seat."""


class Forfeit(ParlourError):
    """`role` owed a move and gave none that is valid. Thrown into the protocol's script."""

    def __init__(self, role: str, reason: str):
        super().__init__(f"{role} forfeits: {reason}")
        self.role = role
        self.reason = reason


class Paused(ParlourError):
    """The seat will answer later. The words said so far are kept."""
