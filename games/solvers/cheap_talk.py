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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .persuasion import SLACK, Row, Rows, best_action, disobedience, expected, scaled, tidy
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
    return all(abs(u - first) <= SLACK for row in sender for u, first in zip(row, sender[0], strict=True))


def sorted_states(prior: Sequence[float], sender: Rows) -> bool:
    """Whether states differ in what they like, and are few enough to try: then up to W messages are said."""
    return not transparent(sender) and len(prior) * (len(prior) + len(sender[0])) <= SMALL


def cheap_talk(prior: Sequence[float], sender: Rows, receiver: Rows) -> Talk | None:
    """The sender's best equilibrium; None where states differ in what they like and are too many to try."""
    if transparent(sender):
        policy, answers = _secured(prior, sender, receiver)
    elif sorted_states(prior, sender):
        policy, answers = sorted_out(prior, sender, receiver)
    else:
        return None
    hers, his = (sum(p * row[m] * a * u[i] for p, row, u in zip(prior, policy, utility, strict=True)
                     for m, mixed in enumerate(answers) for i, a in enumerate(mixed)) for utility in (sender, receiver))
    return Talk(policy, answers, hers, his)


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
    """The best equilibrium, whatever states like: (policy, answers)."""
    import numpy as np
    mu, u, v = np.asarray(prior, float), scaled(np.asarray(sender, float)), scaled(np.asarray(receiver, float))
    may, answers = _pattern(mu, u, v)
    rho = _answers(mu, u, may, answers)
    x = _joint(mu, v, may, answers)
    return tidy(x.tolist(), prior), tuple(tuple(float(a) for a in row / row.sum()) for row in np.clip(rho, 0, None))


def _pattern(mu: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """(e, t): which messages each state may send (W, M), which actions may answer each message (M, A)."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    states, actions = u.shape
    sizes = (states * states, states * actions, states, states * states, states * actions)
    x, rho, z, e, t = (slice(sum(sizes[:i]), sum(sizes[:i + 1])) for i in range(5))
    n, rows = sum(sizes), []

    def row(*terms: tuple[int, float], most: float) -> None:
        made = np.zeros(n + 1)
        for at, by in terms:
            made[at] += by
        made[n] = most
        rows.append(made)

    for w in range(states):
        for m in range(states):
            wm, pays = w * states + m, [(rho.start + m * actions + a, float(u[w, a])) for a in range(actions)]
            row((x.start + wm, 1.0), (e.start + wm, -1.0), most=0)
            row((z.start + w, 1.0), *((at, -by) for at, by in pays), (e.start + wm, 2.0), most=2)
            row((z.start + w, -1.0), *pays, most=0)
    for m in range(states):
        for a in range(actions):
            row((rho.start + m * actions + a, 1.0), (t.start + m * actions + a, -1.0), most=0)
            for b in range(actions):
                gains = ((x.start + w * states + m, float(v[w, b] - v[w, a])) for w in range(states))
                row(*gains, (t.start + m * actions + a, 2.0), most=2)
    table = np.asarray(rows)
    sums = np.zeros((2 * states, n))
    for i in range(states):
        sums[i, x.start + i * states:x.start + (i + 1) * states] = 1
        sums[states + i, rho.start + i * actions:rho.start + (i + 1) * actions] = 1
    goal = np.zeros(n)
    goal[z] = -mu
    low, high = np.zeros(n), np.ones(n)
    low[z] = -1
    whole = np.zeros(n)
    whole[e], whole[t] = 1, 1
    found = milp(goal, integrality=whole, bounds=Bounds(low, high), options={"mip_rel_gap": 0.0}, constraints=[
        LinearConstraint(table[:, :n], -np.inf, table[:, n]), LinearConstraint(sums, *(np.concatenate([mu, np.ones(states)]),) * 2)])
    if found.x is None:
        raise ArithmeticError(f"the program of cheap talk was not solved: {found.message}")
    return found.x[e].reshape(states, states) > 0.5, found.x[t].reshape(states, actions) > 0.5


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
