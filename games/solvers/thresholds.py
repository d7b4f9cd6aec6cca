"""One policy for receivers who differ in how easily they are persuaded: two states, two actions, free disposal of messages.

    k      types in rising order of odds, equal odds merged                                n of them
    r_k    odds: a type acts on a message sent with chance x1 in state 1 and x0 in state 0 iff r_k x1 >= x0       (n,)
    g_k    good: weight times the chance of state 1, w_k p_k                               (n,)
    b_k    bad: w_k (1 - p_k)                                                              (n,)

With utilities d1 > 0 (gain of acting in state 1) and d0 > 0 (loss in state 0), r = p d1 / ((1 - p) d0); p and r may be
independent. A message that targets t, sent with chances x and R x (R = r_t), is obeyed by exactly the types t and above and
brings x G_t, G_t = sum_{k >= t} g_k + R b_k. A message of ratio R = 0 brings x G_0, G_0 = sum g_k. The best policy is

    max sum_a x_a G_a    subject to    sum_a x_a <= 1 (state 1),    sum_a R_a x_a <= 1 (state 0),    x >= 0,

so at most two messages are sent: one with R <= 1, or a pair R_a < 1 < R_b with x_b = (1 - R_a) / (R_b - R_a). If all odds are
at most 1 it is one target, V = max_t G_t. Values are not divided by the weight of the types concerned.

Source: derived here; the program for the messages follows Kamenica and Gentzkow, "Bayesian persuasion" (2011).
"""
from collections.abc import Sequence
from dataclasses import dataclass

TIE = 1e-9
"""Odds closer than this, relatively, are equal: no query can tell such types apart."""
Messages = tuple[tuple[float, float], ...]
"""(ratio, chance) of every message sent: with `chance` in state 1, with ratio times chance in state 0."""


@dataclass(frozen=True)
class Crowd:
    """Types sorted by odds, those of equal odds merged.

    odds, good, bad  as above, rising in odds                                               (n,)
    stake   w (1 - p) d0, so that a receiver's gain from acting on (ratio R, chance x) is x (odds - R) stake      (n,)
    last    the last of the sorted types that is in each group                              (n,)
    group   the group of every type, in the order given                                     one per type
    """
    odds: tuple[float, ...]
    good: tuple[float, ...]
    bad: tuple[float, ...]
    stake: tuple[float, ...]
    last: tuple[int, ...]
    group: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.odds)

    @property
    def mass(self) -> tuple[float, ...]:
        return tuple(g + b for g, b in zip(self.good, self.bad, strict=True))

    def weighted(self, factors: Sequence[float]) -> "Crowd":
        """The same types with weights multiplied by factors (n,)."""
        return Crowd(self.odds, _times(self.good, factors), _times(self.bad, factors), _times(self.stake, factors), self.last,
                     self.group)


def _times(a: Sequence[float], b: Sequence[float]) -> tuple[float, ...]:
    return tuple(x * y for x, y in zip(a, b, strict=True))


def loss_of(belief: float, odds: float) -> float:
    """d0 of a type, where d1 + d0 = 2: the gain and the loss are 1 each where odds = belief / (1 - belief)."""
    return 2 * belief / (belief + odds * (1 - belief))


def crowd(beliefs: Sequence[float], weights: Sequence[float], odds: Sequence[float]) -> Crowd:
    """Sorts and merges types. beliefs in (0, 1), weights > 0, odds > 0, in any order                              (types,)."""
    order = sorted(range(len(odds)), key=lambda k: odds[k])
    rows: list[list[float]] = []
    last: list[int] = []
    group = [0] * len(odds)
    for at, k in enumerate(order):
        p, w = beliefs[k], weights[k]
        row = [odds[k], w * p, w * (1 - p), w * (1 - p) * loss_of(p, odds[k])]
        if rows and odds[k] - rows[-1][0] <= TIE * odds[k]:
            rows[-1][1:] = [a + b for a, b in zip(rows[-1][1:], row[1:], strict=True)]
            last[-1] = at
        else:
            rows.append(row)
            last.append(at)
        group[k] = len(rows) - 1
    r, g, b, s = (tuple(column) for column in zip(*rows, strict=True))
    return Crowd(r, g, b, s, tuple(last), tuple(group))


def best_messages(who: Crowd) -> tuple[float, Messages]:
    """(value, messages) of the best policy. O(n) where all odds are at most 1, else O(n) per step of a few."""
    low, high = _points(who)
    top = max(low, key=lambda point: point[1])
    best = top[1]
    sent: Messages = ((top[0], 1.0),)
    if high:
        pair = _envelope([point for point in low if point[0] < 1], high)
        value = _height(*pair)
        if value > best + 1e-15:
            (ra, _), (rb, _) = pair
            x = (1 - ra) / (rb - ra)
            best, sent = value, ((ra, 1 - x), (rb, x))
    return best, sent


Point = tuple[float, float]


def _points(who: Crowd) -> tuple[list[Point], list[Point]]:
    """(R, G) of ratio 0 and of every target, those with R <= 1 and those above."""
    good = bad = 0.0
    found: list[Point] = []
    for r, g, b in zip(reversed(who.odds), reversed(who.good), reversed(who.bad), strict=True):
        good, bad = good + g, bad + b
        found.append((r, good + r * bad))
    found.append((0.0, good))
    return [p for p in found if p[0] <= 1], [p for p in found if p[0] > 1]


def _height(a: Point, b: Point) -> float:
    """Where the chord from a to b stands at R = 1."""
    x = (1 - a[0]) / (b[0] - a[0])
    return (1 - x) * a[1] + x * b[1]


def _envelope(low: list[Point], high: list[Point]) -> tuple[Point, Point]:
    """The highest chord at R = 1: a pair that neither end can better lies above all points, so it is the highest."""
    a, b = max(low, key=lambda p: p[1]), high[0]
    while True:
        better_b = max(high, key=lambda p: _height(a, p))
        better_b = better_b if _height(a, better_b) > _height(a, b) + 1e-15 else b
        better_a = max(low, key=lambda p: _height(p, better_b))
        better_a = better_a if _height(better_a, better_b) > _height(a, better_b) + 1e-15 else a
        if (better_a, better_b) == (a, b):
            return a, b
        a, b = better_a, better_b


def targets(who: Crowd) -> tuple[float, ...]:
    """What one message obeyed by exactly the types t and above is worth, sent as often as can be: G_t, or G_t / R_t     (n,)."""
    low, high = _points(who)
    return tuple(g / max(1.0, r) for r, g in sorted((*low, *high))[1:])


def worth(who: Crowd, messages: Messages) -> tuple[float, float]:
    """(sender, receiver) under a policy, whoever it was made for: all types whose odds reach a message's ratio act on it."""
    sender = receiver = 0.0
    for ratio, chance in messages:
        for r, g, b, s in zip(who.odds, who.good, who.bad, who.stake, strict=True):
            if r >= ratio - TIE * max(1.0, ratio):
                sender += chance * (g + ratio * b)
                receiver += chance * (r - ratio) * s
    return sender, receiver
