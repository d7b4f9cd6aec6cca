"""Who is to blame for a gap: seats are swapped for the benchmark's strategies on recorded states and draws.

Every coalition that is needed is an arm of a new run; each of its episodes begins as recorded, and seats that are not swapped
say again what they said for as long as they are asked the same. Only then are they asked anew. What each seat's share of the
gap is, `transcripts/shares.py` computes from the rows.
"""
from collections.abc import Callable, Sequence

from ..errors import FieldError, InputError
from ..protocols.seat import Agent
from ..transcripts.shares import SUM, Coalition, coalitions, orders
from ..transcripts.store import Store
from .design import Arm, Design, wordings_of
from .fork import Copy, copied, play
from .money import check, serving
from .plan import Table, tables
from .record import Past, Remembered, copy_slot, design_of, ended, retell
from .runner import Progress, preflight
from .seating import named_strategy, usual

ORDERS = 24
"""Orders drawn where there are more than four seats."""


async def blame(run: str, store: Store, target: str = SUM, benchmark: str | None = None, ask: bool = False, count: int = ORDERS,
                on_episode: Callable[[Progress], None] | None = None, budget: float | None = None) -> tuple[str, str]:
    """Plays the swaps of a run; (run of swaps, status). Raises InputError, before anything is written.

    target     whose gap is asked for: a role, or the sum
    benchmark  whose strategies; None: the game's usual one
    ask        whether seats that cost something may be asked what is not on record
    budget     US$ for that; None: what the run was given, anew
    """
    origin = design_of(store, run)
    if store.rows("SELECT 1 FROM fork WHERE run = ? LIMIT 1", [run]):
        raise InputError(f"run {run} consists of copies of other episodes: name their origin.")
    pasts = ended(store, run)
    arms = {p.row["arm"] for p in pasts}
    plans = [_Plan(table, benchmark, count, origin.seed) for table in tables(origin, seated=False) if table.arm.name in arms]
    for plan in plans:
        plan.check(target)
    design = copied(origin, "blame", tuple(a for plan in plans for a in plan.arms), budget)
    with serving(design, store):
        found = tables(design)
        check(design, found)
        await preflight(found)
        by_name, copies = {t.arm.name: t for t in found}, list[Copy]()
        for plan in plans:
            for swapped, arm in zip(plan.coalitions, plan.arms, strict=True):
                for past in (p for p in pasts if p.row["arm"] == plan.table.arm.name):
                    copies.append(await plan.copy(run, past, swapped, by_name[arm.name], len(copies), design))
        _afford(copies, ask)
        return await play(design, found, copies, store, on_episode=on_episode)


def _afford(copies: Sequence[Copy], ask: bool) -> None:
    """Raises InputError if a seat that costs something would be asked without leave."""
    dear = [c for c in copies if c.due is not None and not c.due.costless]
    if dear and not ask:
        raise InputError(f"in {len(dear)} of {len(copies)} swapped episodes a model or a person would be asked what is not on "
                         "record, which may cost money: add --ask to allow it.")


class _Plan:
    """The swaps of one arm."""

    def __init__(self, table: Table, benchmark: str | None, count: int, seed: int):
        self.table = table
        self.seats, self.count, self.seed = table.protocol.seats(table.game), count, seed
        known = {b.name: b for b in table.benchmarks}
        self.benchmark = benchmark or usual(table.game, known)
        for role in self.seats:
            named_strategy(table.game, self.benchmark, role, table.rules, known)
        self.coalitions = coalitions(orders(self.seats, count, seed))
        self.arms = [self._arm(s) for s in self.coalitions]

    def check(self, target: str) -> None:
        """Raises FieldError if nobody has the role."""
        known = (*self.seats, *self.table.game.payees, SUM)
        if target not in known:
            raise FieldError(f"nobody has the role '{target}'; there are: {', '.join(known)}.")

    def _arm(self, swapped: Coalition) -> Arm:
        arm = self.table.arm
        best = {"agent": "strategy", "benchmark": self.benchmark}
        who = "+".join(r for r in self.seats if r in swapped)
        return arm.model_copy(update={"name": f"{arm.name}, {self.benchmark}: {who}",
                                      "seats": {r: best if r in swapped else spec for r, spec in arm.seats.items()}})

    async def copy(self, run: str, past: Past, swapped: Coalition, table: Table, number: int, design: Design) -> Copy:
        """One recorded episode with some seats swapped, as far as it goes without asking anybody anew."""
        told, = wordings_of(table.game, (past.row["wording"],), table.arm.objective)
        slot = copy_slot(past, number, table, told)
        own = table.seats[slot.persona]
        seats: dict[str, Agent] = {r: own[r] if r in swapped else Remembered.of([x for x in past.lines if x.role == r], told, False)
                                   for r in self.seats}
        events, due = await retell(past, slot, seats, design.seed, design.limits)
        link = {"k": "fork", "origin_run": run, "origin_episode": past.episode, "copy": 0, "t": 0, "luck": slot.luck,
                "tape": slot.tape, "change": {"arm": self.table.arm.name, "swapped": [r for r in self.seats if r in swapped],
                                              "benchmark": self.benchmark, "seats": self.seats, "orders": self.count,
                                              "seed": self.seed}}
        return Copy(slot, link, events, own[due] if due else None)
