"""One policy for receivers of several types, with any finite number of states and actions; and the questions it can put to them.

    p_k(s)       chance of state s to type k                             (n, W)
    w_k          weights of the types                                    (n,), > 0
    u(s, a)      sender's utility                                        (W, A)
    v_k(s, a)    type k's utility                                        (n, W, A)
    m            a message: an action for every type, which each takes gladly        A^n of them
    x_m(s)       chance that m is sent in state s

    max  sum_k w_k sum_s p_k(s) sum_m x_m(s) u(s, m_k)    subject to    sum_m x_m(s) = 1,
         sum_s p_k(s) x_m(s) [v_k(s, m_k) - v_k(s, a)] >= 0    for all m, k, a

It loses nothing: messages after which all types act alike may be merged. A vertex of the program sends at most W messages. A query
(a policy and a message sent with chances l(s)) tells apart the types that act differently; which ways of acting a query can bring
about is found by maximising the least margin by which each type prefers its action, over l >= 0, sum l = 1.

Where there are too many messages, those are tried that are best replies to some l of a lattice: a policy that can be had, not
more than the optimum. Cost: programs with A^n W variables. Source: E. Kamenica, M. Gentzkow, "Bayesian persuasion", AER 101 (2011),
with public messages to several receivers.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from .persuasion import scaled

PROFILES = 512
"""The most messages that are all tried."""
LATTICE = 2_000
"""About how many points of the lattice are tried otherwise."""
STRICT = 1e-7
Profile = tuple[int, ...]


@dataclass(frozen=True)
class Policy:
    """value, weights included; messages (M, W): chance of each in each state, columns sum to 1; exact: whether all were tried."""
    value: float
    messages: tuple[tuple[float, ...], ...]
    exact: bool


def best_policy(beliefs: Any, weights: Any, sender: Any, receiver: Any) -> Policy:
    """The best policy for types in any number. Shapes as above. Raises ValueError if the program is not solved."""
    import numpy as np
    p, w, u, v = (np.asarray(x, float) for x in (beliefs, weights, sender, receiver))
    unit = float(np.abs(u).max()) or 1.0
    u, v = u / unit, scaled(v)
    exact = v.shape[2] ** len(p) <= PROFILES
    profiles = list(product(range(v.shape[2]), repeat=len(p))) if exact else sorted(met(p, u, v))
    found = _solve(p, w, u, v, profiles)
    value = -float(found.fun) * unit
    sent = np.maximum(0.0, found.x.reshape(len(profiles), p.shape[1]))
    kept = sent[sent.sum(axis=1) > 1e-10]
    return Policy(value, tuple(tuple(float(x) for x in row) for row in kept / kept.sum(axis=0)), exact)


def _solve(p: Any, w: Any, u: Any, v: Any, profiles: list[Profile]) -> Any:
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import lil_matrix
    n, states = p.shape
    actions = v.shape[2]
    gain = np.array([sum(w[k] * p[k] * u[:, m[k]] for k in range(n)) for m in profiles]).ravel()
    obey = lil_matrix((len(profiles) * n * (actions - 1), len(profiles) * states))
    row = 0
    for at, m in enumerate(profiles):
        for k in range(n):
            for a in range(actions):
                if a != m[k]:
                    obey[row, at * states:(at + 1) * states] = p[k] * (v[k, :, a] - v[k, :, m[k]])
                    row += 1
    total = np.tile(np.eye(states), len(profiles))
    found = linprog(-gain, A_ub=obey.tocsr(), b_ub=np.zeros(row), A_eq=total, b_eq=np.ones(states), method="highs-ds")
    if found.status != 0:
        raise ValueError(f"the program of the best policy is not solved: {found.message}")
    return found


def met(p: Any, u: Any, v: Any) -> set[Profile]:
    """The messages that are best replies of all types to some chances of a lattice."""
    import numpy as np
    found: set[Profile] = set()
    for chances in lattice(p.shape[1]):
        held = p * np.array(chances)
        own = np.einsum("ks,ksa->ka", held, v)
        tied = own >= own.max(axis=1, keepdims=True) - 1e-12
        found.add(tuple(int(a) for a in np.where(tied, held @ u, -np.inf).argmax(axis=1)))
    return found


def lattice(states: int) -> Iterator[tuple[float, ...]]:
    """Chances whose parts are whole multiples of 1 / d, d as fine as about LATTICE points allow."""
    from math import comb
    d = max(i for i in range(1, 2 * LATTICE) if comb(i + states - 1, states - 1) <= LATTICE or i == 1)

    def parts(left: int, some: int) -> Iterator[tuple[int, ...]]:
        if some == 1:
            yield (left,)
        else:
            for i in range(left + 1):
                yield from ((i, *rest) for rest in parts(left - i, some - 1))

    return (tuple(x / d for x in part) for part in parts(d, states))


def queries(beliefs: Any, receiver: Any) -> list[tuple[Profile, tuple[float, ...]]] | None:
    """(what each type does, the chances of the message) of every query that tells some types apart; None where there are too many.

    Of queries that tell the same types apart, the one with the largest margin.
    """
    import numpy as np
    p, v = np.asarray(beliefs, float), scaled(np.asarray(receiver, float))
    if v.shape[2] ** len(p) > PROFILES:
        return None
    best: dict[Profile, tuple[float, Profile, tuple[float, ...]]] = {}
    for profile in product(range(v.shape[2]), repeat=len(p)):
        if len(set(profile)) == 1:
            continue
        margin, chances = _margin(p, v, profile)
        kind = tuple(profile.index(a) for a in profile)
        if margin > STRICT and (kind not in best or margin > best[kind][0] + STRICT):
            best[kind] = (margin, profile, chances)
    return [(profile, chances) for _, (_, profile, chances) in sorted(best.items())]


def _margin(p: Any, v: Any, profile: Profile) -> tuple[float, tuple[float, ...]]:
    """The largest margin by which every type prefers its action, and the chances at which it does."""
    import numpy as np
    from scipy.optimize import linprog
    n, states = p.shape
    rows = [[*(p[k] * (v[k, :, a] - v[k, :, profile[k]])), 1.0] for k in range(n) for a in range(v.shape[2]) if a != profile[k]]
    found = linprog([*np.zeros(states), -1.0], A_ub=rows, b_ub=np.zeros(len(rows)), A_eq=[[*np.ones(states), 0.0]], b_eq=[1.0],
                    bounds=[(0, None)] * states + [(None, 1.0)], method="highs-ds")
    if found.status != 0:
        return -1.0, ()
    return float(found.x[-1]), tuple(float(x) for x in np.maximum(0.0, found.x[:-1]))
