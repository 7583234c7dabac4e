"""The strategies of the search, on top of an engine that evaluates subsets.

An engine has `n_samples`, `additions(parents, candidates)` (values of the spans with
one more sample, inf where it depends on them; of no parents, those of single
samples), `value(indices)`, `best_subset`, `best_flag`, `nearest`, `coincident` and
`count`. Lists of indices are in the order in which references enter.
"""

import numpy as np

from geolearn.decomposition._bsa_search_curved import first_of_least

MAX_SWEEPS = 100  # of exchanges; each strictly improves, a few are enough
_BETTER = 1.0 - 1e-11  # an exchange must gain more than the rounding of values


def forward(engine, pool, k, first, search="auto"):
    """Add references one at a time; ends early when all samples are spanned."""
    order = []
    if first == "pair" and k > 0:
        order = _best_pair(engine, pool, search)
    while len(order) < k + 1:
        found = _best_addition(engine, pool, order)
        if found is None:
            break
        order.append(found)
    return order


def forward_backward(engine, pool, k, first, search, longest):
    """Add up to `longest` references one at a time, then give them up again.

    Where they end up spanning all samples, any last one does, and the choice between
    those that do is rounding: it is left out.
    """
    order = forward(engine, pool, max(k, longest - 1), first, search)
    if k + 1 < len(order) < engine.n_samples:
        free = np.isfinite(engine.additions(order, pool.samples, prune=True))
        order = order if free.any() else order[:-1]
    return backward(engine, order)


def _best_addition(engine, pool, order):
    values = engine.additions(order, pool.samples, prune=True)
    if not np.isfinite(values).any():
        return None
    best = first_of_least(values)
    found, value = int(pool.samples[best]), values[best]
    while not pool.complete:  # the neighbours of the winner, then theirs
        near = pool.beside(engine, found)
        values = engine.additions(order, near, prune=True)
        best = first_of_least(values)
        if not values[best] < value * _BETTER:
            break
        found, value = int(near[best]), values[best]
    return found


def _best_pair(engine, pool, search):
    start = forward(engine, pool, 1, "mean")
    if len(start) < 2:
        return start
    if search == "exhaustive" or engine.count(pool.samples, 1, False) <= 1.0:
        start = [int(c) for c in engine.best_subset(pool.samples, 1, start)]
    pair = sorted(exchange(engine, pool, start)[0])
    return [pair[i] for i in _ascending(engine.additions([], np.array(pair)))]


def _ascending(pair):
    return [0, 1] if first_of_least(pair) == 0 else [1, 0]


def pure(engine, pool, k, search, start):
    """Return the best subset, its indices ascending, and whether the search ended."""
    converged = True
    if k == 0:  # where "forward" starts
        return start, converged
    if search == "exhaustive":
        start = [int(c) for c in engine.best_subset(pool.samples, k, start)]
    if search == "greedy" or not pool.complete:
        start, converged = exchange(engine, pool, start)
    return sorted(start), converged


def exchange(engine, pool, order):
    """Replace references in turn by better ones until none is to be found."""
    order = list(order)
    for _ in range(MAX_SWEEPS):
        improved = False
        for i, old in enumerate(order):
            others = order[:i] + order[i + 1 :]
            candidates = pool.around(engine, old)
            values = engine.additions(others, candidates, prune=True)
            now = float(engine.additions(others, np.array([old]))[0])
            best = first_of_least(values)
            if values[best] < now * _BETTER:
                order[i], improved = int(candidates[best]), True
        if not improved:
            return order, True
    return order, False


def backward(engine, order):
    """Order references by removing, each time, the one that is missed least.

    Of equally dispensable ones, the highest index goes first.
    """
    left, removed = sorted(order), []
    while len(left) > 1:
        fewer = [[c for c in left if c != gone] for gone in reversed(left)]
        kept = fewer[first_of_least(np.array([engine.value(s) for s in fewer]))]
        removed += [c for c in left if c not in kept]
        left = kept
    return left + removed[::-1]


def flag(engine, pool, k, search, start):
    """Return the ordered list of least accumulated value, and whether it ended."""
    if k == 0:
        return pure(engine, pool, k, search, start)
    if search == "exhaustive":
        order = [int(c) for c in engine.best_flag(pool.samples, k, start)]
        return (order, True) if pool.complete else exchange_flag(engine, pool, order)
    reverse = backward(engine, exchange(engine, pool, start)[0])
    found = [exchange_flag(engine, pool, order) for order in (start, reverse)]
    totals = np.array([accumulated(engine, order) for order, _ in found])
    return found[first_of_least(totals)]


def accumulated(engine, order):
    """Return the sum of the values of the nested spans."""
    return sum(engine.value(order[: i + 1]) for i in range(len(order)))


def exchange_flag(engine, pool, order):
    """Replace references, or swap neighbours, while the accumulated value falls."""
    order = list(order)
    for _ in range(MAX_SWEEPS):
        improved = False
        for i in range(len(order)):
            old, candidates = order[i], pool.around(engine, order[i])
            candidates = np.append(candidates, old)
            values = sum(
                engine.additions(order[:i] + order[i + 1 : level + 1], candidates)
                for level in range(i, len(order))
            )
            best = first_of_least(values)
            if values[best] < values[-1] * _BETTER:
                order[i], improved = int(candidates[best]), True
            if i + 1 < len(order):
                one, other = engine.additions(order[:i], np.array(order[i : i + 2]))
                if other < one * _BETTER:
                    order[i], order[i + 1] = order[i + 1], order[i]
                    improved = True
        if not improved:
            return order, True
    return order, False


def pad(engine, order, k):
    """Append distinct samples, lowest first, to references that span all samples."""
    taken = np.zeros(engine.n_samples, dtype=bool)
    for c in order:
        taken |= engine.coincident(c)
    order = list(order)
    while len(order) < k + 1:
        free = np.flatnonzero(~taken)
        if not len(free):
            raise ValueError(
                f"n_components={k} needs at least {k + 1} distinct samples of "
                f"positive weight, got {len(order)}; lower n_components."
            )
        order.append(int(free[0]))
        taken |= engine.coincident(free[0])
    return order
