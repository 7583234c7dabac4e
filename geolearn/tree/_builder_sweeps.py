"""One pass over the sorted values of a feature finds its best split.

A row of `order` lists the samples of a node by increasing value. An entry i says
that sample i enters the left side when the sweep has passed it, an entry ~i (a
negative number) that it leaves it: on a circle, half of the samples start there.
Position p is the split between entries p - 1 and p; position b, which only circles
have, separates those that entered from those that left.

Scores are compared within a node only: they are its impurity decrease, scaled and
shifted by numbers that do not depend on the split. Among scores that differ by less
than `slack`, what rounding may do to them, the first wins, so that equal splits do
not depend on the order of additions.
"""

import math

from geolearn.utils._jit import kernel

_LIGHT = 1e-4  # share of the weight of a node below which rounding would show


@kernel(nogil=True)
def allowed(n_left, n_right, w_left, w_right, limits):
    """Say whether both sides hold the least number of samples and weight."""
    if n_left < limits.min_leaf or n_right < limits.min_leaf:
        return False
    if w_left < limits.min_weight or w_right < limits.min_weight:
        return False
    return w_left > 0.0 and w_right > 0.0


@kernel(nogil=True)
def sweep_gini(
    order, values, a, b, wraps, codes, weight, unit, total, limits, slack, left, right
):
    """Maximise the sum over sides of (sum of squared class weights) / weight."""
    n_outputs = codes.shape[1]
    whole, sq_left, sq_right = 0.0, 0.0, 0.0
    for k in range(total.shape[0]):
        left[k], right[k] = 0.0, total[k]
        sq_right += total[k] * total[k]
        whole += total[k]
    whole /= n_outputs
    n_left, w_left = 0, 0.0
    if wraps:
        for p in range(a, b):
            if order[p] < 0:
                i = ~order[p]
                w = 1.0 if unit else weight[i]
                for o in range(n_outputs):
                    left[codes[i, o]] += w
                    right[codes[i, o]] -= w
                n_left += 1
                w_left += w
        sq_right = 0.0
        for k in range(total.shape[0]):
            sq_left += left[k] * left[k]
            sq_right += right[k] * right[k]
    best, position = -math.inf, -1
    stop = b if wraps else b - 1
    for p in range(a, stop):
        i = order[p]
        step = 1
        if i < 0:
            i = ~i
            step = -1
        w = step * (1.0 if unit else weight[i])
        for o in range(n_outputs):
            k = codes[i, o]
            sq_left += w * (2.0 * left[k] + w)
            sq_right += w * (w - 2.0 * right[k])
            left[k] += w
            right[k] -= w
        n_left += step
        w_left += w
        if p + 1 < b and not values[p + 1] > values[p]:
            continue
        w_right = whole - w_left
        if not allowed(n_left, b - a - n_left, w_left, w_right, limits):
            continue
        if not unit and min(w_left, w_right) < _LIGHT * whole:
            # What is left of the large squares is rounding beside a small weight.
            sq_left, sq_right = 0.0, 0.0
            for k in range(total.shape[0]):
                sq_left += left[k] * left[k]
                sq_right += right[k] * right[k]
        score = sq_left / w_left + sq_right / w_right
        if score > best + slack:
            best, position = score, p + 1
    return best, position


@kernel(nogil=True)
def xlogx(x):
    """Return x log2(x), 0 at 0 and where rounding left less."""
    return x * math.log2(x) if x > 0.0 else 0.0


@kernel(nogil=True)
def sweep_entropy(
    order, values, a, b, wraps, codes, weight, unit, total, limits, slack, left, right
):
    """Maximise the sum over sides of sum_k c_k log c_k - W log W."""
    n_outputs = codes.shape[1]
    whole, inner = 0.0, 0.0
    for k in range(total.shape[0]):
        left[k], right[k] = 0.0, total[k]
        whole += total[k]
    whole /= n_outputs
    n_left, w_left = 0, 0.0
    if wraps:
        for p in range(a, b):
            if order[p] < 0:
                i = ~order[p]
                w = 1.0 if unit else weight[i]
                for o in range(n_outputs):
                    left[codes[i, o]] += w
                    right[codes[i, o]] -= w
                n_left += 1
                w_left += w
    for k in range(total.shape[0]):
        inner += xlogx(left[k]) + xlogx(right[k])
    best, position = -math.inf, -1
    stop = b if wraps else b - 1
    for p in range(a, stop):
        i = order[p]
        step = 1
        if i < 0:
            i = ~i
            step = -1
        w = step * (1.0 if unit else weight[i])
        for o in range(n_outputs):
            k = codes[i, o]
            inner -= xlogx(left[k]) + xlogx(right[k])
            left[k] += w
            right[k] -= w
            inner += xlogx(left[k]) + xlogx(right[k])
        n_left += step
        w_left += w
        if p + 1 < b and not values[p + 1] > values[p]:
            continue
        w_right = whole - w_left
        if not allowed(n_left, b - a - n_left, w_left, w_right, limits):
            continue
        score = inner - n_outputs * (xlogx(w_left) + xlogx(w_right))
        if score > best + slack:
            best, position = score, p + 1
    return best, position


@kernel(nogil=True)
def sweep_squares(
    order, values, a, b, wraps, y, weight, unit, mean, whole, limits, slack, left
):
    """Maximise S^2 W / (W_left W_right), S the left sum of centred targets."""
    n_outputs = y.shape[1]
    for o in range(n_outputs):
        left[o] = 0.0
    n_left, w_left = 0, 0.0
    if wraps:
        for p in range(a, b):
            if order[p] < 0:
                i = ~order[p]
                w = 1.0 if unit else weight[i]
                for o in range(n_outputs):
                    left[o] += w * (y[i, o] - mean[o])
                n_left += 1
                w_left += w
    best, position = -math.inf, -1
    stop = b if wraps else b - 1
    first = left[0]  # a register in the loop over one output
    for p in range(a, stop):
        i = order[p]
        step = 1
        if i < 0:
            i = ~i
            step = -1
        w = step * (1.0 if unit else weight[i])
        first += w * (y[i, 0] - mean[0])
        for o in range(1, n_outputs):
            left[o] += w * (y[i, o] - mean[o])
        n_left += step
        w_left += w
        if p + 1 < b and not values[p + 1] > values[p]:
            continue
        w_right = whole - w_left
        if not allowed(n_left, b - a - n_left, w_left, w_right, limits):
            continue
        score = first * first
        for o in range(1, n_outputs):
            score += left[o] * left[o]
        score *= whole / (w_left * w_right)
        if score > best + slack:
            best, position = score, p + 1
    return best, position


@kernel(nogil=True)
def sort_pairs(keys, entries, a, b, spare_keys, spare_entries):
    """Sort entries a, ..., b - 1 stably by their keys: runs of 16, then merges."""
    run = 16
    for start in range(a, b, run):
        for p in range(start + 1, min(start + run, b)):
            key, entry = keys[p], entries[p]
            q = p - 1
            while q >= start and keys[q] > key:
                keys[q + 1], entries[q + 1] = keys[q], entries[q]
                q -= 1
            keys[q + 1], entries[q + 1] = key, entry
    while run < b - a:
        for start in range(a, b - run, 2 * run):
            middle, stop = start + run, min(start + 2 * run, b)
            if keys[middle - 1] <= keys[middle]:
                continue
            for p in range(start, middle):
                spare_keys[p], spare_entries[p] = keys[p], entries[p]
            p, q, r = start, middle, start
            while p < middle and q < stop:
                if keys[q] < spare_keys[p]:
                    keys[r], entries[r] = keys[q], entries[q]
                    q += 1
                else:
                    keys[r], entries[r] = spare_keys[p], spare_entries[p]
                    p += 1
                r += 1
            while p < middle:
                keys[r], entries[r] = spare_keys[p], spare_entries[p]
                p, r = p + 1, r + 1
        run *= 2
