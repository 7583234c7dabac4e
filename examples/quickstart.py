"""Run geolearn on real data: a table on the terminal, figures in a folder.

Usage: python examples/quickstart.py [--output figures]

Maps of two data sets: the handwritten digits of scikit-learn (1797 images of 8 x 8
pixels) and a branching tree in ten dimensions whose geodesic distances are known.
Each map is made from part of the rows; the held-out rows are placed on it
afterwards. Then two sessions of hand gestures, recorded by 8 electrodes on the
forearm: covariance classifiers are trained on one session and tested on the other,
and a map shows the matrices. Last, the hierarchy of a clustering of the digits, drawn
in the hyperbolic plane: its points tell the digits by a hyperbolic forest; shapes of
hands, each a combination of three of them; the angle of a turned digit, told by the
length of the curve of its images; and where the digits stop being a manifold.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE, Isomap, trustworthiness
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import (
    MDM,
    AugmentedCovariances,
    Covariances,
    SPDAligner,
    TangentSpace,
)
from geolearn.datasets import (
    load_emg_gestures,
    load_hand_shapes,
    make_branching_tree,
    make_rotated_digit,
)
from geolearn.decomposition import (
    BarycentricSubspaceAnalysis,
    PrincipalSubbundle,
    TangentPCA,
)
from geolearn.diagnostics import RepresentationReport
from geolearn.embedding import HeatGeodesicEmbedding, RieSNE, TreeEmbedding
from geolearn.ensemble import HyperbolicRandomForestClassifier
from geolearn.manifolds import SPD, PlanarShapes
from geolearn.metrics import distance_correlation_score, hyperbolic_distances
from geolearn.metrics import trustworthiness as trust
from geolearn.plotting import EmbeddingDisplay, PoincareDisplay
from geolearn.topology import Euclidicity

NEIGHBORS = 10


def methods():
    """The maps that are compared; t-SNE alone cannot place new rows."""
    return {
        "HeatGeodesicEmbedding": HeatGeodesicEmbedding(
            n_neighbors=NEIGHBORS, t="relaxation", random_state=0
        ),
        "PCA": PCA(n_components=2, random_state=0),
        "Isomap": Isomap(n_neighbors=NEIGHBORS),
        "t-SNE": TSNE(random_state=0),
    }


def compare(X, y, held_out, y_held_out, geodesics):
    """Fit every method; return its scores and maps."""
    rows, maps = [], {}
    for name, method in methods().items():
        start = time.perf_counter()
        Y = method.fit_transform(X)
        seconds = time.perf_counter() - start
        scores = {"trust": trustworthiness(X, Y, n_neighbors=NEIGHBORS)}
        if geodesics is not None:
            D = pairwise_distances(Y)
            for kind in ("pearson", "spearman"):
                scores[kind] = distance_correlation_score(D, geodesics, method=kind)
        new = None
        if hasattr(method, "transform"):
            new = method.transform(held_out)
            classifier = KNeighborsClassifier(NEIGHBORS).fit(Y, y)
            scores["held-out"] = classifier.score(new, y_held_out)
        rows.append((name, scores, seconds))
        maps[name] = (Y, new)
    return rows, maps


def print_table(title, rows, columns):
    """Print the scores of one data set, '-' where a method has none."""
    print(f"\n{title}")
    print(f"{'':24s}" + "".join(f"{c:>10s}" for c in columns) + f"{'seconds':>10s}")
    for name, scores, seconds in rows:
        cells = [
            f"{scores[c]:10.3f}" if c in scores else f"{'-':>10s}" for c in columns
        ]
        print(f"{name:24s}" + "".join(cells) + f"{seconds:10.2f}")


def draw(title, maps, y, y_held_out, label_name, path):
    """Draw all maps side by side, held-out rows larger and framed."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 9), layout="constrained")
    for ax, (name, (Y, new)) in zip(axes.flat, maps.items(), strict=True):
        EmbeddingDisplay.from_embedding(
            Y,
            labels=y,
            ax=ax,
            legend=ax is axes.flat[0],
            label_name=label_name,
            alpha=0.5,
        )
        if new is not None:
            EmbeddingDisplay.from_embedding(
                new,
                labels=y_held_out,
                ax=ax,
                legend=False,
                size=20,
                linewidths=0.5,
                edgecolors="black",
            )
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="", title=name)
    figure.suptitle(f"{title} (framed: held-out rows)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def digits(output):
    """Map the digits, and place a quarter of them that the map has not seen."""
    X, y = load_digits(return_X_y=True)
    X, held_out, y, y_held_out = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    rows, maps = compare(X, y, held_out, y_held_out, None)
    print_table(
        f"Digits: {len(X)} images of 64 pixels, {len(held_out)} held out",
        rows,
        ["trust", "held-out"],
    )
    draw("Handwritten digits", maps, y, y_held_out, "digit", output / "digits.png")


def tree(output):
    """Map a noisy tree and compare with its known geodesic distances."""
    X, y, G = make_branching_tree(
        n_branches=6,
        n_per_branch=200,
        noise=0.1,
        random_state=42,
        return_geodesics=True,
    )
    index, held_index = train_test_split(
        np.arange(len(X)), test_size=0.25, stratify=y, random_state=0
    )
    rows, maps = compare(
        X[index], y[index], X[held_index], y[held_index], G[np.ix_(index, index)]
    )
    print_table(
        f"Tree: {len(index)} points in 10 dimensions, {len(held_index)} held out",
        rows,
        ["pearson", "spearman", "trust", "held-out"],
    )
    draw("Branching tree", maps, y[index], y[held_index], "branch", output / "tree.png")


def gestures(output):
    """Classify hand gestures in a session that the classifiers have not seen."""
    recordings = load_emg_gestures(subject="mg")
    X, y, session = recordings.data, recordings.target, recordings.session
    train, test = (session == name for name in np.unique(session))
    print(
        f"\nHand gestures: trained on {train.sum()} windows of one session, tested on "
        f"{test.sum()} of another"
    )
    print(f"{'':50s}{'accuracy':>10s}{'re-centred':>12s}{'seconds':>10s}")
    matrices = {
        "covariances": Covariances("lwf"),
        "augmented (order 3, lag 1)": AugmentedCovariances(3, 1, estimator="lwf"),
    }
    classifiers = {
        "MDM": MDM(),
        "tangent space + SVM": make_pipeline(TangentSpace(), SVC(kernel="linear")),
    }
    for kind, transformer in matrices.items():
        start = time.perf_counter()
        C = transformer.fit_transform(X)
        centred = SPDAligner(scale=False).fit_transform(C, sample_domain=session)
        seconds = time.perf_counter() - start
        for name, classifier in classifiers.items():
            start = time.perf_counter()
            scores = [
                classifier.fit(Z[train], y[train]).score(Z[test], y[test])
                for Z in (C, centred)
            ]
            total = seconds + time.perf_counter() - start
            print(
                f"{kind + ', ' + name:50s}{scores[0]:10.3f}{scores[1]:12.3f}"
                f"{total:10.2f}"
            )
        if kind == "covariances":
            plain = centred
    draw_sessions(C, centred, recordings, output / "gestures.png")
    covariance_map(plain, recordings, output / "covariances.png")


def covariance_map(C, recordings, path):
    """Map covariance matrices by their affine-invariant distances."""
    import matplotlib.pyplot as plt

    truth = SPD(C.shape[-1]).pairwise_distances(C)
    print(f"\nMaps of the {len(C)} re-centred covariance matrices")
    print(f"{'':50s}{'trust':>10s}{'seconds':>22s}")
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    methods = {
        "RieSNE": RieSNE("spd", random_state=0),
        "PCA of tangent vectors": make_pipeline(TangentSpace(), PCA(2)),
    }
    for ax, (name, method) in zip(axes, methods.items(), strict=True):
        start = time.perf_counter()
        Y = method.fit_transform(C)
        seconds = time.perf_counter() - start
        score = trust(truth, pairwise_distances(Y), NEIGHBORS)
        print(f"{name:50s}{score:10.3f}{seconds:22.2f}")
        EmbeddingDisplay.from_embedding(
            Y,
            labels=recordings.target_names[recordings.target],
            ax=ax,
            legend=ax is axes[1],
            label_name="gesture",
        )
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="", title=name)
    figure.suptitle("Covariances of hand gestures, two sessions")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_sessions(C, centred, recordings, path):
    """Draw tangent vectors of both sessions, as recorded and re-centred."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    titles = ("as recorded", "each session re-centred")
    for ax, Z, title in zip(axes, (C, centred), titles, strict=True):
        vectors = TangentSpace().fit_transform(Z)
        EmbeddingDisplay.from_embedding(
            PCA(2).fit_transform(vectors),
            labels=recordings.session,
            ax=ax,
            legend=ax is axes[0],
            label_name="session",
            alpha=0.5,
        )
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="", title=title)
    figure.suptitle("Covariances of hand gestures, first two tangent components")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def hierarchy(output):
    """Tell digits by their places in a clustering, a quarter of them labelled."""
    X, y = load_digits(return_X_y=True)
    n = len(X)
    start = time.perf_counter()
    # Row k of the linkage is node n + k, whose children are its first two entries.
    children = linkage(X, "ward")[:, :2].astype(int)
    edges = np.column_stack([np.repeat(np.arange(n, 2 * n - 1), 2), children.ravel()])
    shape = (2 * n - 1, 2 * n - 1)
    links = coo_array((np.ones(len(edges)), edges.T), shape=shape).tocsr()
    nodes = TreeEmbedding(root=2 * n - 2).fit_transform(links)
    seconds = time.perf_counter() - start
    leaves = nodes[:n]
    known, hidden = train_test_split(
        np.arange(n), test_size=0.75, stratify=y, random_state=0
    )
    print(
        f"\nHierarchy: Ward's clustering of the digits in the hyperbolic plane "
        f"({seconds:.2f} s),\n{len(known)} digits labelled, {len(hidden)} to tell"
    )
    print(f"{'':50s}{'accuracy':>10s}{'seconds':>22s}")
    distances = hyperbolic_distances(leaves, leaves[known])
    plane = PCA(2).fit_transform(X)
    forest = HyperbolicRandomForestClassifier(random_state=0)
    neighbors = KNeighborsClassifier(3, metric="precomputed")
    flat = RandomForestClassifier(random_state=0)
    for name, classifier, Z in (
        ("hyperbolic forest, 2 dimensions", forest, leaves),
        ("3 neighbours by hyperbolic distance", neighbors, distances),
        ("forest on PCA, 2 dimensions", flat, plane),
    ):
        start = time.perf_counter()
        score = classifier.fit(Z[known], y[known]).score(Z[hidden], y[hidden])
        print(f"{name:50s}{score:10.3f}{time.perf_counter() - start:22.2f}")
    # A disk shows little beyond radius 8: the picture has shorter edges.
    nodes = TreeEmbedding(scale=0.85, root=2 * n - 2).fit_transform(links)
    draw_hierarchy(nodes, edges, y, output / "hierarchy.png")


def shapes():
    """Tell the pose of a hand by how much of three other hands is in it."""
    hands = load_hand_shapes()
    space = PlanarShapes(hands.planar.shape[1])
    X, pose = space.project(hands.planar), hands.target
    print(f"\nShapes: {len(X)} hands, pose told from a few coordinates (5 folds)")
    print(f"{'':50s}{'accuracy':>10s}{'unexplained':>13s}{'seconds':>9s}")
    total = np.mean(space.dist(space.frechet_mean(X), X) ** 2)
    for name, method in (
        (
            "barycentric subspace of 3 hands",
            BarycentricSubspaceAnalysis(2, manifold=space),
        ),
        ("tangent PCA, 2 dimensions", TangentPCA(2, manifold=space)),
    ):
        start = time.perf_counter()
        coordinates = method.fit_transform(X)
        left_over = np.mean(space.dist(method.reconstruct(X), X) ** 2) / total
        classifier = LogisticRegression(C=100.0)
        score = cross_val_score(classifier, coordinates, pose, cv=5).mean()
        seconds = time.perf_counter() - start
        print(f"{name:50s}{score:10.3f}{left_over:13.3f}{seconds:9.2f}")


def turned_digit():
    """Tell the angle of a turned image by its place on the curve of all of them."""
    X, angle = make_rotated_digit(360, noise=0.15, random_state=0)
    X = PCA(8).fit_transform(X)
    print(f"\nCurve: {len(X)} noisy images of one digit, turned through a circle")
    print(f"{'':50s}{'error':>10s}{'seconds':>22s}")
    for name, method in (
        ("PrincipalSubbundle, 1 dimension", PrincipalSubbundle(1, random_state=0)),
        ("Isomap, 1 dimension", Isomap(n_neighbors=NEIGHBORS, n_components=1)),
    ):
        start = time.perf_counter()
        position = method.fit_transform(X).ravel()
        seconds = time.perf_counter() - start
        # Angles from that of the image in the middle, either way round.
        middle = np.nanargmin(np.abs(position - np.nanmedian(position)))
        away = (angle - angle[middle] + np.pi) % (2.0 * np.pi) - np.pi
        slope = np.nansum(position * away) / np.nansum(position**2)
        error = np.degrees(np.nanmedian(np.abs(slope * position - away)))
        print(f"{name:50s}{error:9.1f}°{seconds:22.2f}")


def singular_digits(output):
    """Score how far the surroundings of each digit are from flat space."""
    X, y = load_digits(return_X_y=True)
    start = time.perf_counter()
    detector = Euclidicity(n_steps=5, random_state=0).fit(X)
    seconds = time.perf_counter() - start
    order = np.argsort(detector.euclidicity_)
    most = np.bincount(y[order[-100:]], minlength=10).argmax()
    share = np.mean(y[order[-100:]] == most)
    print(
        f"\nSingular points: {len(X)} digits beside flat space of dimension "
        f"{detector.intrinsic_dim_} ({seconds:.2f} s)\n"
        f"of the 100 most singular ones {share:.0%} are a {most}; it has less freedom"
    )
    draw_images(X, order, output / "singular.png")
    print("\nHealth of two representations of the digits")
    names = ("local_dimension", "rankme", "curvature_max_normal", "manifold_capacity")
    print(f"{'':26s}" + "".join(f"{name:>21s}" for name in names))
    for name, Z in (("pixels", X), ("10 components", PCA(10).fit_transform(X))):
        report = RepresentationReport(Z, y, random_state=0)
        print(f"{name:26s}" + "".join(f"{report[key]:21.3f}" for key in names))


def draw_images(X, order, path):
    """Draw the images at both ends of an order."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 16, figsize=(11, 1.9), layout="constrained")
    rows = {"flattest": order[:16], "most singular": order[-16:]}
    for row, (name, chosen) in zip(axes, rows.items(), strict=True):
        for ax, k in zip(row, chosen, strict=True):
            ax.imshow(X[k].reshape(8, 8), cmap="gray_r")
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_hierarchy(nodes, edges, y, path):
    """Draw the tree, and the digits as its leaves, in the Poincaré disk."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.5, 6.5), layout="constrained")
    title = "Ward's clustering of the digits in the hyperbolic plane"
    thin = {"linewidths": 0.4, "colors": "0.7"}
    PoincareDisplay.from_embedding(
        nodes, edges=edges, edge_params=thin, ax=ax, size=0.0, title=title
    )
    leaves = nodes[: len(y)]
    PoincareDisplay.from_embedding(leaves, y, ax=ax, size=8, label_name="digit")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Parse the arguments and run all parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("figures"))
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    # Isomap says that it connects the digits' neighbour graph; it is expected here.
    warnings.filterwarnings("ignore", module="sklearn.manifold._isomap")
    warnings.filterwarnings("ignore", module="scipy.sparse")
    start = time.perf_counter()
    print("First use compiles the kernels, which takes a few seconds once.")
    digits(output)
    tree(output)
    gestures(output)
    hierarchy(output)
    shapes()
    turned_digit()
    singular_digits(output)
    print(
        "\ntrust: trustworthiness of 10 neighbours; held-out: accuracy of a 10-NN "
        "classifier\nin the map on rows placed afterwards; pearson, spearman: mean "
        "correlation of map\ndistances with true geodesic distances, by row; "
        "re-centred: each session moved to\nthe identity by its own mean, without "
        "labels."
    )
    names = "digits, tree, gestures, covariances, hierarchy and singular (.png)"
    print(f"\nFigures: {output.resolve()}/{names}")
    print(f"Total time: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
