"""What a sender gains by talk that binds her to nothing, to one receiver: her best equilibrium.

    mu, u, v   prior (W,), utilities of sender and receiver by state and action (W, A), as in `persuasion`
    x(w, m)    chance of state w and message m; sums over messages to mu          (W, M)
    rho(m)     the receiver's answer to message m, mixed over actions             (M, A)

An equilibrium: each state sends only messages m whose u(w, rho(m)) is greatest, and rho(m) has only best answers to what m
tells. If u depends on the action alone, u(a), talk secures s iff mu is in the hull of the beliefs at which some best answer pays
her s or more: her best is the quasi-concave envelope of her value at mu, one feasibility program per level s of u(a),

    x(., a) >= 0 for u(a) >= s, obeyed, summing to mu.

A belief that pays more than s is moved towards mu until her value falls through s, where the receiver mixes so that she is paid
s. Else states differ in what they like: which messages a state may send (e) and which actions may answer one (t) are binaries of
a mixed integer program; W messages are enough. Given e and t, rho and x are solved as two linear programs. It grows exponentially.

Ties: of several best equilibria the one the program finds, in it the receiver's best x.

Source: E. Lipnowski, D. Ravid, "Cheap talk with transparent motives", Econometrica 88 (2020); V. Crawford, J. Sobel, "Strategic
information transmission", Econometrica 50 (1982), for the game. The mixed integer program is derived here.
"""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .persuasion import SLACK, Row, Rows, best_action, disobedience, expected, scaled, size, tidy
from .programs import program

SMALL = 40
"""The most binaries, W W + W A, that are tried."""


@dataclass(frozen=True)
class Talk:
    """policy (W, M): what each state says; answers (M, A): what is done upon it; what both earn."""
    policy: Rows
    answers: Rows
    sender: float
    receiver: float


def transparent(sender: Rows) -> bool:
    """Whether the sender's utility is the same in every state."""
    return all(abs(u - first) <= SLACK * size(sender) for row in sender for u, first in zip(row, sender[0], strict=True))


def sorted_states(prior: Sequence[float], sender: Rows) -> bool:
    """Whether states differ in what they like, and are few enough to try: then up to W messages are said."""
    return not transparent(sender) and len(prior) * (len(prior) + len(sender[0])) <= SMALL


def cheap_talk(prior: Sequence[float], sender: Rows, receiver: Rows) -> Talk | None:
    """The sender's best equilibrium; None where states differ in what they like and are too many to try."""
    u, v = _shrunk(sender), _shrunk(receiver)
    if transparent(sender):
        policy, answers = _secured(prior, u, v)
    elif sorted_states(prior, sender):
        policy, answers = sorted_out(prior, u, v)
    else:
        return None
    hers, his = (sum(p * row[m] * a * u[i] for p, row, u in zip(prior, policy, utility, strict=True)
                     for m, mixed in enumerate(answers) for i, a in enumerate(mixed)) for utility in (sender, receiver))
    return Talk(policy, answers, hers, his)


def _shrunk(utility: Rows) -> Rows:
    """The utilities with 1 as the greatest in size, so that ties are what they are in any unit."""
    unit = size(utility)
    return tuple(tuple(u / unit for u in row) for row in utility)


# --- the sender likes the same in every state ---------------------------------------------------------------------------
def _secured(prior: Sequence[float], sender: Rows, receiver: Rows) -> tuple[Rows, Rows]:
    pays, idle = sender[0], best_action(prior, receiver, sender)
    for level in sorted({u for u in pays if u > pays[idle] + SLACK}, reverse=True):
        joint = _support(prior, [a for a, u in enumerate(pays) if u >= level - SLACK], receiver)
        if joint is not None:
            return _levelled(prior, joint, level, sender, receiver)
    return tuple((1.0,) for _ in prior), (tuple(float(a == idle) for a in range(len(pays))),)


def _support(prior: Sequence[float], actions: list[int], receiver: Rows) -> Any:
    """x (W, actions) by which each of these actions is obeyed; None if there is none. Of all, the receiver's best."""
    import numpy as np
    v = scaled(np.asarray(receiver, float))
    kept = np.zeros(v.shape, bool)
    kept[:, actions] = True
    some = kept.ravel()
    try:
        found = program(v.ravel()[some], disobedience(v)[:, some], np.kron(np.eye(len(v)), np.ones(v.shape[1]))[:, some],
                        np.asarray(prior, float), [(0, None)] * int(some.sum()))
    except ArithmeticError:
        return None
    return np.clip(found.x, 0, None).reshape(len(v), len(actions))


def _levelled(prior: Sequence[float], joint: Any, level: float, sender: Rows, receiver: Rows) -> tuple[Rows, Rows]:
    """Every message moved towards the prior until it pays the level: policy and mixed answers."""
    weights, beliefs, answers = [], [], []
    for column in joint.T:
        if (mass := float(column.sum())) > SLACK:
            share, mixed = _fall(prior, column / mass, level, sender, receiver)
            weights.append(mass / share)
            beliefs.append([p + share * (float(q) / mass - p) for p, q in zip(prior, column, strict=True)])
            answers.append(mixed)
    sent = [[w * b[i] for w, b in zip(weights, beliefs, strict=True)] for i in range(len(prior))]
    return tidy(sent, prior), tuple(answers)


def _fall(prior: Sequence[float], belief: Any, level: float, sender: Rows, receiver: Rows) -> tuple[float, Row]:
    """(share of the way from the prior to the belief, mixed answer there): the first point at which she can be paid `level`.

    On the way the best answers change where two actions cross, so the point is an end or a crossing.
    """
    pays, home, away = sender[0], expected(prior, receiver), expected(tuple(belief), receiver)
    crossings = {1.0}
    for a in range(len(pays)):
        for b in range(a):
            slope = (away[a] - home[a]) - (away[b] - home[b])
            if abs(slope) > SLACK and 0 < (t := (home[b] - home[a]) / slope) < 1:
                crossings.add(t)
    for t in sorted(crossings):
        his = [h + t * (w - h) for h, w in zip(home, away, strict=True)]
        best = [a for a, u in enumerate(his) if u >= max(his) - SLACK]
        above, below = [a for a in best if pays[a] >= level - SLACK], [a for a in best if pays[a] < level - SLACK]
        if above:
            high = min(above, key=lambda a: pays[a])
            low = max(below, key=lambda a: pays[a], default=high)
            often = 1.0 if pays[high] <= level + SLACK else (level - pays[low]) / (pays[high] - pays[low])
            return t, tuple(often * (a == high) + (1 - often) * (a == low) for a in range(len(pays)))
    raise ArithmeticError("a belief that secures the level has no best answer that pays it")


# --- states differ in what they like --------------------------------------------------------------------------------------
def sorted_out(prior: Sequence[float], sender: Rows, receiver: Rows) -> tuple[Rows, Rows]:
    """The best equilibrium, whatever states like: (policy, answers). States of no chance are left out: nobody minds what they say."""
    import numpy as np
    drawn = np.flatnonzero(np.asarray(prior) > 0)
    mu, u, v = np.asarray(prior, float)[drawn], scaled(np.asarray(sender, float)[drawn]), scaled(np.asarray(receiver, float)[drawn])
    may, answers = _pattern(mu, u, v)
    rho = _answers(mu, u, may, answers)
    x = np.zeros((len(prior), len(mu)))
    x[drawn] = _joint(mu, v, may, answers)
    return tidy(x.tolist(), prior), tuple(tuple(float(a) for a in row / row.sum()) for row in np.clip(rho, 0, None))


def _pattern(mu: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """(e, t): which messages each state may send (W, M), which actions may answer each message (M, A).

    Variables, flat: x (W, M), rho (M, A), z (W,) what each state is paid, e, t.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    states, actions = u.shape
    shapes = {"x": (states, states), "rho": (states, actions), "z": (states,), "e": (states, states), "t": (states, actions)}
    limits = list(_limits(mu, u, v, {name: np.zeros(shape) for name, shape in shapes.items()}))
    table, most = np.array([row for row, _ in limits]), np.array([bound for _, bound in limits])

    def flat(**values: Any) -> Any:
        return np.concatenate([np.broadcast_to(values.get(name, 0.0), shape).ravel() for name, shape in shapes.items()])

    sums = np.array([flat(**{name: np.eye(states)[i][:, None]}) for name in ("x", "rho") for i in range(states)])
    totals, whole = np.concatenate([mu, np.ones(states)]), flat(e=1, t=1)
    found = milp(flat(z=-mu), integrality=whole, bounds=Bounds(flat(z=-1), np.ones(len(whole))),
                 constraints=[LinearConstraint(table, -np.inf, most), LinearConstraint(sums, totals, totals)],
                 options={"mip_rel_gap": 0.0, "presolve": False})
    if found.x is None:
        raise ArithmeticError(f"the program of cheap talk was not solved: {found.message}")
    chosen = found.x > 0.5
    e, t = states * (states + actions + 1), states * (2 * states + actions + 1)
    return chosen[e:t].reshape(states, states), chosen[t:].reshape(states, actions)


def _limits(mu: Any, u: Any, v: Any, blank: Mapping[str, Any]) -> Iterator[tuple[Any, float]]:
    """Every inequality as (row over the variables, its bound). Utilities are at most 1 in size, so 2 lifts any of them."""
    import numpy as np
    states, actions = u.shape

    def row(*terms: tuple[str, Any, Any]) -> Any:
        made = {name: part.copy() for name, part in blank.items()}
        for name, at, by in terms:
            made[name][at] += by
        return np.concatenate([part.ravel() for part in made.values()])

    for w in range(states):
        for m in range(states):
            yield row(("x", (w, m), 1.0), ("e", (w, m), -mu[w])), 0.0
            yield row(("z", w, 1.0), ("rho", m, -u[w]), ("e", (w, m), 2.0)), 2.0
            yield row(("z", w, -1.0), ("rho", m, u[w])), 0.0
    for m in range(states):
        for a in range(actions):
            yield row(("rho", (m, a), 1.0), ("t", (m, a), -1.0)), 0.0
            for b in range(actions):
                yield row(("x", (slice(None), m), v[:, b] - v[:, a]), ("t", (m, a), 2.0)), 2.0


def _answers(mu: Any, u: Any, may: Any, answers: Any) -> Any:
    """rho (M, A), best for the sender: nobody gains by a message that is not his."""
    import numpy as np
    states, actions = u.shape
    goal, rows = np.zeros((states, actions)), []
    for w in range(states):
        own = int(np.flatnonzero(may[w])[0])
        goal[own] += mu[w] * u[w]
        for m in range(states):
            for other in np.flatnonzero(may[w]):
                row = np.zeros((states, actions))
                row[m] += u[w]
                row[other] -= u[w]
                rows.append(row.ravel())
    bounds = [(0, None if some else 0) for some in answers.ravel()]
    found = program(goal.ravel(), np.asarray(rows), np.kron(np.eye(states), np.ones(actions)), np.ones(states), bounds)
    return found.x.reshape(states, actions)


def _joint(mu: Any, v: Any, may: Any, answers: Any) -> Any:
    """x (W, M), best for the receiver, by which all answers are best answers."""
    import numpy as np
    states, actions = v.shape
    goal, rows = np.zeros((states, states)), []
    for m in range(states):
        some = np.flatnonzero(answers[m])
        goal[:, m] = v[:, some[0]]
        for a in some:
            for b in range(actions):
                row = np.zeros((states, states))
                row[:, m] = v[:, b] - v[:, a]
                rows.append(row.ravel())
    bounds = [(0, None if some else 0) for some in may.ravel()]
    found = program(goal.ravel(), np.asarray(rows), np.kron(np.eye(states), np.ones(states)), mu, bounds)
    return np.clip(found.x, 0, None).reshape(states, states)
