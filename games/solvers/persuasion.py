"""What a sender gains who binds herself to a rule of what to say, and meets one receiver whose belief she shares.

    mu    prior      chances of the states                                                (W,), >= 0, sum 1
    u, v  utilities  of the sender, of the receiver, by state and action                  (W, A)
    pi    policy     chance of each message in each state; message a recommends action a  (W, A), rows sum to 1
    x     joint      x(w, a) = mu(w) pi(a | w)

The receiver obeys iff  sum_w x(w, a) [v(w, a) - v(w, b)] >= 0  for all a, b; the best policy maximises sum x u under that. With
two actions, gains g = v(., 1) - v(., 2), s = u(., 1) - u(., 2) and x = x(., 1), obedience to both messages is the one row
sum x g >= max(0, sum mu g): a fractional knapsack, solved by sorting the cost |s / g| at which each state mends the row.

Robust: obeyed under every prior m with |m - mu|_1 <= radius (m >= 0). With h(w) = pi(a|w) [v(w, a) - v(w, b)] the worst prior is
another linear program; by its dual  mu h - radius/2 k - sum mu nu >= 0,  k >= M - m,  m <= h <= M + nu,  k, nu >= 0 for some
M, m, k, nu per (a, b). Where every mu(w) >= radius/2, nu = 0 and k = max h - min h. The goal is the sender's payoff at mu.

Ties: an indifferent receiver does what the sender prefers, then the first action; of equally good policies the receiver's best.
Cost: O(W log W) with two actions, else a program of W A variables and A (A - 1) + W rows.

Source: E. Kamenica, M. Gentzkow, "Bayesian persuasion", AER 101 (2011); robust: Y. Zu, K. Iyer, H. Xu, "Learning to persuade on
the fly", Operations Research 73 (2025); the knapsack and the dual are derived here.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .programs import lexicographic

SLACK = 1e-9
"""Two utilities closer than this share of the greatest in size are a tie."""
ROUNDING = 1e-12
"""A chance closer than this to 0 or 1 is rounding."""
Row = tuple[float, ...]
Rows = tuple[Row, ...]


@dataclass(frozen=True)
class Persuaded:
    """policy (W, messages), and what it is worth to both when the receiver answers at his best."""
    policy: Rows
    sender: float
    receiver: float


def expected(belief: Sequence[float], utility: Rows) -> Row:
    """Expected utility of every action at a belief."""
    return tuple(sum(p * row[a] for p, row in zip(belief, utility, strict=True)) for a in range(len(utility[0])))


def best_action(belief: Sequence[float], receiver: Rows, sender: Rows) -> int:
    """A best response at a belief; of equal ones the sender's favourite, then the first."""
    his, hers = expected(belief, receiver), expected(belief, sender)
    good = [a for a, u in enumerate(his) if u >= max(his) - SLACK * size(receiver)]
    best = max(hers[a] for a in good) - SLACK * size(sender)
    return next(a for a in good if hers[a] >= best)


def size(utility: Rows) -> float:
    """The greatest utility in size; 1 if all are 0."""
    return max(abs(u) for row in utility for u in row) or 1.0


def posterior(prior: Sequence[float], policy: Rows, message: int) -> Row | None:
    """Bayes's rule; None if the message is never sent."""
    joint = [p * row[message] for p, row in zip(prior, policy, strict=True)]
    total = sum(joint)
    return tuple(x / total for x in joint) if total > 0 else None


def worth(prior: Sequence[float], policy: Rows, sender: Rows, receiver: Rows) -> Persuaded:
    """What a policy earns both, whatever its messages are called."""
    hers = his = 0.0
    for message in range(len(policy[0])):
        belief = posterior(prior, policy, message)
        if belief is not None:
            action = best_action(belief, receiver, sender)
            for p, row, u, v in zip(prior, policy, sender, receiver, strict=True):
                hers, his = hers + p * row[message] * u[action], his + p * row[message] * v[action]
    return Persuaded(policy, hers, his)


def no_information(prior: Sequence[float], sender: Rows, receiver: Rows) -> Persuaded:
    """She recommends in every state what he would do anyway."""
    action = best_action(prior, receiver, sender)
    return worth(prior, _sure([action] * len(prior), len(sender[0])), sender, receiver)


def full_information(prior: Sequence[float], sender: Rows, receiver: Rows) -> Persuaded:
    """She recommends what he would do if he knew the state."""
    known = [best_action([float(w == i) for w in range(len(prior))], receiver, sender) for i in range(len(prior))]
    return worth(prior, _sure(known, len(sender[0])), sender, receiver)


def _sure(actions: Sequence[int], count: int) -> Rows:
    return tuple(tuple(float(a == action) for a in range(count)) for action in actions)


def optimal(prior: Sequence[float], sender: Rows, receiver: Rows) -> Persuaded:
    """The best policy: the knapsack for two actions, else the program."""
    solve = knapsack if len(sender[0]) == 2 else by_program
    return worth(prior, solve(prior, sender, receiver), sender, receiver)


def knapsack(prior: Sequence[float], sender: Rows, receiver: Rows) -> Rows:
    """The best policy for two actions. Every state first gets what the sender likes; then the cheapest mend obedience."""
    s, g = ([row[0] - row[1] for row in utility] for utility in (sender, receiver))
    x = [float(a > 0 or (a == 0 and b > 0)) for a, b in zip(s, g, strict=True)]
    short = max(0.0, sum(p * b for p, b in zip(prior, g, strict=True))) - sum(p * y * b for p, y, b in zip(prior, x, g, strict=True))
    mends = [w for w in range(len(x)) if (x[w] and g[w] < 0) or (not x[w] and g[w] > 0)]
    for w in sorted(mends, key=lambda w: abs(s[w] / g[w])):
        if short <= 0:
            break
        share = min(1.0, short / (prior[w] * abs(g[w]))) if prior[w] > 0 else 1.0
        x[w] += -share if x[w] else share
        short = 0.0 if share < 1 else short - prior[w] * abs(g[w])
    return tuple((y, 1 - y) for y in (float(round(y)) if abs(y - round(y)) < ROUNDING else y for y in x))


def by_program(prior: Sequence[float], sender: Rows, receiver: Rows) -> Rows:
    """The best policy for any number of actions."""
    import numpy as np
    mu, u, v = (np.asarray(a, float) for a in (prior, sender, receiver))
    states, actions = u.shape
    x = lexicographic(scaled(u).ravel(), scaled(v).ravel(), disobedience(scaled(v)),
                      np.kron(np.eye(states), np.ones(actions)), mu)
    return tidy(x.reshape(u.shape).tolist(), prior)


def scaled(utility: Any) -> Any:
    """The utilities, none above 1 in size."""
    import numpy as np
    return utility / (float(np.abs(utility).max()) or 1.0)


def disobedience(v: Any) -> Any:
    """Rows over x, flat: what the receiver gains by b where a is recommended; they must not be above 0."""
    import numpy as np
    states, actions = v.shape
    rows = np.zeros((actions, actions, states, actions))
    for a in range(actions):
        rows[a, :, :, a] = (v - v[:, [a]]).T
    return rows.reshape(actions * actions, v.size)[[a * actions + b for a in range(actions) for b in range(actions) if a != b]]


def tidy(joint: Sequence[Sequence[float]], prior: Sequence[float]) -> Rows:
    """x(w, m) as rows that sum to 1; a state of no chance says what all together say."""
    all_together = [sum(row[m] for row in joint) for m in range(len(joint[0]))]
    return tuple(tuple(x / sum(kept) for x in kept) for kept in (row if p > 0 else all_together
                                                                 for row, p in zip(joint, prior, strict=True)))


def robust(prior: Sequence[float], sender: Rows, receiver: Rows, radius: float) -> Persuaded:
    """The best policy that is obeyed under every prior within `radius` (sum of absolute differences) of the given one."""
    import numpy as np
    mu, u, v = (np.asarray(a, float) for a in (prior, sender, receiver))
    states, actions = u.shape
    hers, his, pairs = scaled(u), scaled(v), [(a, b) for a in range(actions) for b in range(actions) if a != b]
    width = states + 5  # per pair: nu (W,), k, M and m each as a difference of two
    size = u.size + len(pairs) * width
    rows = np.zeros((len(pairs), 2 + 2 * states, size))
    for i, (a, b) in enumerate(pairs):
        _worst(rows[i], mu, his[:, a] - his[:, b], a, actions, u.size + i * width, radius)
    goal, second = np.zeros(size), np.zeros(size)
    goal[:u.size], second[:u.size] = (mu[:, None] * hers).ravel(), (mu[:, None] * his).ravel()
    exact = np.hstack([np.kron(np.eye(states), np.ones(actions)), np.zeros((states, size - u.size))])
    found = lexicographic(goal, second, rows.reshape(-1, size), exact, np.ones(states))
    return worth(prior, tidy(found[:u.size].reshape(u.shape).tolist(), [1.0] * states), sender, receiver)


def _worst(rows: Any, mu: Any, gain: Any, a: int, actions: int, at: int, radius: float) -> None:
    """Fills the rows of one pair (a, b), all at most 0: the ball, the spread, then m <= h and h <= M + nu state by state."""
    states = len(mu)
    k, top, low = at + states, (at + states + 1, at + states + 2), (at + states + 3, at + states + 4)
    rows[0, k], rows[0, at:at + states] = radius / 2, mu
    rows[1, top[0]], rows[1, top[1]], rows[1, low[0]], rows[1, low[1]], rows[1, k] = 1, -1, -1, 1, -1
    for w in range(states):
        h = w * actions + a
        rows[0, h] -= mu[w] * gain[w]
        under, over = rows[2 + w], rows[2 + states + w]
        under[low[0]], under[low[1]], under[h] = 1, -1, -gain[w]
        over[h], over[top[0]], over[top[1]], over[at + w] = gain[w], -1, 1, -1


def least(prior: Sequence[float], values: Sequence[float], radius: float) -> float:
    """The least mean of values (W,) over priors in the ball: mass goes from the greatest values to the least one."""
    left, found = radius / 2, sum(p * x for p, x in zip(prior, values, strict=True))
    for w in sorted(range(len(values)), key=lambda w: -values[w]):
        moved = min(left, prior[w])
        left, found = left - moved, found - moved * (values[w] - min(values))
    return found


def worst_gain(prior: Sequence[float], policy: Rows, receiver: Rows, radius: float) -> float:
    """The least, over priors in the ball and messages, of what obeying earns over the next best, times the message's chance."""
    actions = range(len(policy[0]))
    return min((least(prior, [row[a] * (v[a] - v[b]) for row, v in zip(policy, receiver, strict=True)], radius)
                for a in actions for b in actions if a != b), default=0.0)


def worst_value(prior: Sequence[float], policy: Rows, sender: Rows, radius: float) -> float:
    """The least the sender earns over priors in the ball, if she is obeyed."""
    return least(prior, [sum(x * u for x, u in zip(row, pays, strict=True)) for row, pays in zip(policy, sender, strict=True)], radius)
