"""Slow and plain versions of the diagnostics, written from their formulas."""

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm, spearmanr


def distances(X, Y):
    """Return all Euclidean distances by differences."""
    return np.sqrt(((X[:, None] - Y[None]) ** 2).sum(axis=2))


def neighbor_distances(D, k):
    """Return for each row its k smallest positive distances to distinct columns."""
    return [np.sort(row[row > 0.0])[:k] for row in D]


def local_dimension(delta, method):
    """Return the local dimension from sorted neighbour distances."""
    k = len(delta)
    if method == "mle":
        return (k - 2) / sum(np.log(delta[-1] / delta[j]) for j in range(k - 1))
    if method == "mle_biased":
        return (k - 1) / sum(np.log(delta[-1] / delta[j]) for j in range(k - 1))
    if method == "ldreg":
        return -k / sum(np.log(delta[j] / delta[-1] + 1e-4) for j in range(k - 1))
    mean = np.mean(delta[:-1]) if method == "mom" else np.mean(delta)
    return mean / (delta[-1] - mean)


def log_ratio(D):
    """Return ln(second / first distance) for each row of distances."""
    return np.array([np.log(d[1] / d[0]) for d in neighbor_distances(D, 2)])


def two_nn_fit(log_mu, discard):
    """Return the slope through the origin of -ln(1 - i/N) on the sorted ln mu."""
    x = np.sort(log_mu)
    n = len(x)
    kept = int((1 - discard) * n)
    y = np.array([-np.log(1 - i / n) for i in range(1, kept + 1)])
    return np.linalg.lstsq(x[:kept, None], y, rcond=None)[0][0]


def local_spectrum(X, q, k):
    """Return the eigenvalues of the covariance of q and its k nearest others."""
    order = np.argsort(((X - q) ** 2).sum(axis=1))[: k + 1]
    return np.linalg.eigvalsh(np.cov(X[order].T, bias=True))[::-1]


def spanning_tree_length(D):
    """Return the length of the minimum spanning tree by Prim's algorithm."""
    outside, total = set(range(1, len(D))), 0.0
    reach = D[0].copy()
    while outside:
        nearest = min(outside, key=lambda j: reach[j])
        total += reach[nearest]
        outside.remove(nearest)
        reach = np.minimum(reach, D[nearest])
    return total


def principal_curvatures(X, i, d, k):
    """Return the curvatures (normals, d) of a quadratic fit around sample i."""
    order = np.argsort(((X - X[i]) ** 2).sum(axis=1))[1 : k + 1]
    near = X[order] - X[i]
    axes = np.linalg.svd(near)[2]
    u, f = near @ axes[:d].T, near @ axes[d:].T
    pairs = [(a, b) for a in range(d) for b in range(a, d)]
    columns = [u[:, a] * u[:, b] * (0.5 if a == b else 1.0) for a, b in pairs]
    design = np.column_stack([u, *columns])
    found = []
    for normal in f.T:
        solution = np.linalg.lstsq(design, normal, rcond=None)[0][d:]
        H = np.zeros((d, d))
        for (a, b), value in zip(pairs, solution, strict=True):
            H[a, b] = H[b, a] = value
        found.append(np.linalg.eigvalsh(H))
    return np.array(found)


def split_correlation(Z, half, metric):
    """Return the Spearman correlation of the distances in a half and in the rest."""
    vectors = []
    for part in (Z[:, half], np.delete(Z, half, axis=1)):
        pairs = [(i, j) for i in range(len(Z)) for j in range(i)]
        if metric == "euclidean":
            vectors.append([np.linalg.norm(part[i] - part[j]) for i, j in pairs])
        else:
            unit = part / np.linalg.norm(part, axis=1)[:, None]
            vectors.append([1.0 - unit[i] @ unit[j] for i, j in pairs])
    return spearmanr(*vectors).statistic


def within_over_between(Z, y):
    """Return tr(Sigma_W pinv(Sigma_B)) / C with dense matrices."""
    classes = np.unique(y)
    means = np.array([Z[y == c].mean(axis=0) for c in classes])
    within = np.mean([np.cov(Z[y == c].T, bias=True) for c in classes], axis=0)
    between = np.cov(means.T, bias=True)
    return np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(classes)


def capacity(margin):
    """Return the mean-field capacity by numerical integration."""
    integral = quad(lambda t: (t + margin) ** 2 * norm.pdf(t), -margin, 12.0)[0]
    return 1.0 / integral
