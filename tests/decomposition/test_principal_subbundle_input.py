"""What PrincipalSubbundle does with bad input and at the edges."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from geolearn.decomposition import PrincipalSubbundle, principal_subbundle_exp
from geolearn.decomposition._principal_subbundle_input import known_rows
from geolearn.manifolds import SPD, Hyperboloid, Sphere


def disc(n=80, d=3, noise=0.02, seed=0):
    """Return points near a disc in space of d dimensions."""
    rng = np.random.default_rng(seed)
    r, t = np.sqrt(rng.uniform(size=n)), rng.uniform(0.0, 2.0 * np.pi, n)
    X = noise * rng.normal(size=(n, d))
    X[:, 0] += r * np.cos(t)
    X[:, 1] += r * np.sin(t)
    return X


def arc(n=60, gap=0.0, stretch=1.0):
    """Return points of a bent line, with a gap in the middle."""
    t = np.linspace(-1.0, 1.0, n) * stretch
    t = t + np.sign(t) * gap
    return np.column_stack([t, 0.2 * t**2])


def refused(match, X, n_components=2, error=ValueError, fit=None, **options):
    with pytest.raises(error, match=match):
        PrincipalSubbundle(n_components, **options).fit(X, **(fit or {}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_and_infinite_values(value):
    X = disc()
    X[3, 1] = value
    refused("contains (NaN|infinity)", X)
    model = PrincipalSubbundle(bandwidth=0.4).fit(disc())
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        model.transform(X)


def test_empty_sparse_and_wrongly_shaped_data():
    refused("0 sample", np.empty((0, 3)))
    refused("[Ss]parse", sparse.csr_array(disc()), error=TypeError)
    refused("2D array", disc()[0])
    refused("dim 3", disc()[None])
    model = PrincipalSubbundle(bandwidth=0.4).fit(disc())
    for call in (model.transform, model.distance, model.log, model.local_pca):
        with pytest.raises(ValueError, match=r"2 features, but .* 3 features"):
            call(disc(d=2))


def test_rank_above_the_dimension_of_the_space():
    refused(r"n_components=4 must be at most 3.*n_features=3", disc(), 4)
    refused(
        r"at most 2, the dimension of Sphere\(2\)", fibonacci(), 3, manifold="sphere"
    )


def fibonacci(n=60):
    i = np.arange(n) + 0.5
    z, t = 1.0 - 2.0 * i / n, np.pi * (1.0 + np.sqrt(5.0)) * i
    return np.column_stack(
        [np.sqrt(1.0 - z**2) * np.cos(t), np.sqrt(1.0 - z**2) * np.sin(t), z]
    )


def test_too_few_samples():
    refused("needs at least 4 distinct samples.*n_samples=3", disc(3))
    refused("needs at least 4 distinct samples", np.repeat(disc(3), 5, axis=0))
    weight = np.r_[1.0, 1.0, 1.0, 0.0, 0.0]
    refused("needs at least 4 distinct", disc(5), fit={"sample_weight": weight})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the bandwidth
        PrincipalSubbundle(2).fit(disc(4))


def test_affine_hull_below_the_rank():
    line = np.outer(np.linspace(-1.0, 1.0, 30), [1.0, 2.0, -1.0]) + 100.0
    refused("rank n_components=2 exceeds the dimension of the data.*dimension 1", line)
    refused("dimension 0|distinct", np.ones((20, 3)), 1)
    circle = np.column_stack([np.cos(range(40)), np.sin(range(40)), np.zeros(40)])
    refused("exceeds the dimension of the data.*dimension 1", circle, manifold="sphere")


def test_data_in_a_flat_of_the_rank_are_exact():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(5, 2)))[0]
    X = rng.uniform(-1.0, 1.0, (50, 2)) @ basis.T + 3.0
    model = PrincipalSubbundle(2, bandwidth="auto")
    V = model.fit_transform(X)
    np.testing.assert_allclose(model.exp(V), X, atol=1e-9)
    assert model.spectrum_[2:] == pytest.approx(0.0, abs=1e-12)


def test_copies_count_as_weights():
    X = disc(40)
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 4, 40)
    copies, weighted = PrincipalSubbundle(2), PrincipalSubbundle(2)
    V = copies.fit_transform(np.repeat(X, counts, axis=0))
    W = weighted.fit_transform(X, sample_weight=counts)
    np.testing.assert_array_equal(V, np.repeat(W, counts, axis=0))
    assert copies.bandwidth_ == weighted.bandwidth_
    w = counts * np.exp(-0.5 * (X**2).sum(axis=1) / copies.bandwidth_**2)
    mean = copies.local_pca(np.zeros((1, 3))).mean[0]
    np.testing.assert_allclose(mean, w @ X / w.sum(), atol=1e-5)


def test_samples_of_weight_zero_are_left_out_but_charted():
    X = disc(60)
    weight = np.ones(60)
    weight[:10] = 0.0
    model, rest = PrincipalSubbundle(2), PrincipalSubbundle(2)
    V = model.fit_transform(X, sample_weight=weight)
    np.testing.assert_array_equal(V[10:], rest.fit_transform(X[10:]))
    np.testing.assert_array_equal(V[:10], rest.transform(X[:10]))
    for bad in (-weight, 0.0 * weight, np.full(60, np.nan)):
        with pytest.raises(ValueError, match="sample_weight"):
            model.fit(X, sample_weight=bad)
    with pytest.raises(ValueError, match="sample_weight must have shape"):
        model.fit(X, sample_weight=weight[:3])


def test_order_of_the_samples_does_not_matter():
    X = disc(50)
    order = np.random.default_rng(0).permutation(50)
    V = PrincipalSubbundle(2).fit_transform(X)
    W = PrincipalSubbundle(2).fit_transform(X[order])
    np.testing.assert_array_equal(W, V[order])


def test_disconnected_data():
    X = np.concatenate([arc(), arc(20) + np.array([0.0, 50.0])])
    model = PrincipalSubbundle(1, bandwidth=0.1)
    with pytest.warns(UserWarning, match="20 of 80 samples are not connected"):
        V = model.fit_transform(X)
    np.testing.assert_array_equal(model.status_, np.repeat([0, 1], [60, 20]))
    assert np.isnan(V[60:]).all()
    assert np.isnan(model.residuals_[60:]).all()
    assert np.isfinite(V[:60]).all()
    with pytest.warns(UserWarning, match="distances are infinite"):
        D = model.distance(X[[0, 70]])
    np.testing.assert_array_equal(D, [[0.0, np.inf], [np.inf, 0.0]])
    D = model.distance(X[[0, 70]], method="graph")
    np.testing.assert_array_equal(D, [[0.0, np.inf], [np.inf, 0.0]])
    np.testing.assert_array_equal(model.transform(X[70:72]), np.full((2, 1), np.nan))


def test_equal_eigenvalues_at_the_base_are_said():
    grid = np.linspace(-1.0, 1.0, 9)
    X = np.column_stack([a.ravel() for a in np.meshgrid(grid, grid)])
    model = PrincipalSubbundle(1, bandwidth=0.4, base_point=[0.0, 0.0])
    lost = r"get no coordinates: .* eigenvalues 1 and 2 meet on .*"
    with (
        pytest.warns(UserWarning, match="Eigenvalues 1 and 2 .* are equal.*n_comp"),
        pytest.warns(UserWarning, match=lost + "another n_components than 1"),
    ):
        V = model.fit_transform(X)
    assert (model.status_ != 0).any()
    assert np.isnan(V[np.isin(model.status_, [1, 3])]).all()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.nan, np.inf, "wide"])
def test_bandwidths_that_are_none(bandwidth):
    refused("bandwidth", disc(), bandwidth=bandwidth)


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.ones(4), r"shape \(300,\)"),
        (-np.ones(300), "non-negative"),
        (np.full(300, np.nan), "is nan"),
        (np.r_[np.ones(3), np.zeros(297)], "4 samples of positive weight, got 3"),
    ],
)
def test_weights_on_a_sphere(weight, match):
    X = fibonacci(300)
    with pytest.raises(ValueError, match=match):
        principal_subbundle_exp(
            X, X[0], X[1], bandwidth=0.4, manifold="sphere", sample_weight=weight
        )


def test_bandwidth_below_the_spacing():
    X = np.linspace(0.0, 1.0, 40) ** 2  # dense at the start, sparse at the end
    X = np.column_stack([X, np.zeros(40)])
    model = PrincipalSubbundle(1, bandwidth=0.005, base_point=2)
    with pytest.warns(UserWarning, match="below the spacing of the data.*Try bandwi"):
        model.fit(X)
    assert model.bandwidth_ == 0.005


def test_bandwidth_is_enlarged_at_the_base():
    model = PrincipalSubbundle(2, bandwidth=1e-3)
    with pytest.warns(UserWarning, match="below n_components.*is used") as caught:
        model.fit(disc())
    n_eff = model.local_pca(model.base_point_[None]).n_eff[0]
    assert n_eff >= 4
    assert f"{model.bandwidth_:.3g} is used" in str(caught[0].message)


@pytest.mark.parametrize("bandwidth", [1e-200, 1e200])
def test_bandwidths_whose_squares_are_no_numbers(bandwidth):
    refused("bandwidth=1e.*other units", disc(), bandwidth=bandwidth)


@pytest.mark.parametrize("bandwidth", [1e-150, 0.02])
def test_a_narrow_bandwidth_is_enlarged_however_small_it_is(bandwidth):
    model = PrincipalSubbundle(2, bandwidth=bandwidth, base_point=[0.0, 0.0, 0.0])
    with pytest.warns(
        UserWarning, match=r"is used. Pass a larger bandwidth, such as 0"
    ):
        model.fit(disc(40))
    assert 0.02 < model.bandwidth_ < 0.5


def test_samples_without_coordinates_are_told():
    X = disc()
    X = X[np.hypot(X[:, 0], X[:, 1]) > 0.45]
    model = PrincipalSubbundle(2, bandwidth=0.15, base_point=X[0])
    with pytest.warns(
        UserWarning, match="get no coordinates: .* leave the data"
    ) as told:
        V = model.fit_transform(X)
    lost = int(np.isnan(V).any(axis=1).sum())
    assert 0 < lost == np.sum(model.status_ == 1)
    assert str(told[0].message).startswith(f"{lost} of {len(X)} samples")
    assert "meet" not in str(told[0].message)


def test_searches_without_end_are_told():
    X = disc()
    X[:, 2] += X[:, 0] ** 2
    model = PrincipalSubbundle(2, bandwidth=0.4, max_iter=1, tol=1e-9)
    with (
        pytest.warns(ConvergenceWarning, match=r"\(status 2\).*tol=1e-09.*max_iter=1"),
        pytest.warns(UserWarning, match="get no coordinates"),
    ):
        model.fit_transform(X)
    assert (model.status_ == 2).any()


def test_no_bandwidth_helps_uneven_weights():
    weight = np.r_[100.0, np.ones(19)]
    with pytest.warns(UserWarning, match="effective number of 1.4.*none can start"):
        PrincipalSubbundle(2, bandwidth=1.0).fit(disc(20), sample_weight=weight)


@pytest.mark.parametrize("store_jacobian", [True, False])
def test_points_far_from_the_data_have_no_coordinates(store_jacobian):
    model = PrincipalSubbundle(2, bandwidth=0.4, store_jacobian=store_jacobian)
    model.fit(disc())
    V = model.transform([[30.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    np.testing.assert_array_equal(np.isnan(V), [[True, True], [False, False]])
    # nearer than where curves stop, but off the data by more than two bandwidths
    assert np.isnan(model.transform([[0.0, 0.0, 1.0]])).all()


def test_points_so_far_that_they_have_no_distance():
    X = disc()
    model = PrincipalSubbundle(2, bandwidth=0.4).fit(X)
    far = np.array([[0.0, 0.0, 0.0], [1e200, 0.0, 0.0]])
    for call in (model.transform, model.distance, model.log, model.project):
        with pytest.raises(ValueError, match=r"X\[1\] has entries above 1e\+152"):
            call(far)
    with pytest.raises(ValueError, match=r"base\[0\] has entries above"):
        model.exp([[0.1, 0.1]], base=far[1])
    refused("entries above", np.vstack([X, far]))


def test_points_far_from_the_data_have_no_ridge():
    X = disc()
    model = PrincipalSubbundle(2, bandwidth=0.4).fit(X)
    found = model.project([[1e9, 0.0, 0.0], X[0], [0.0, 0.0, 0.2]])
    np.testing.assert_array_equal(np.isnan(found[:, 0]), [True, False, False])
    assert (abs(found[1:, 2]) < 0.05).all()
    np.testing.assert_array_equal(model.project(X[:1]), found[1:2])


def test_equal_rows_are_found_behind_constant_columns():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 4)).astype(float)
    X[:, 0] = -0.0
    points = np.unique(X[:40] + 0.0, axis=0)
    rows = known_rows(X, points)
    equal = (X[:, None] == points).all(axis=2)
    np.testing.assert_array_equal(rows >= 0, equal.any(axis=1))
    assert equal[np.arange(60), rows][rows >= 0].all()
    assert (rows[:40] >= 0).all()
    assert (rows < 0).any()


def test_curves_stop_at_the_boundary_and_at_gaps():
    model = PrincipalSubbundle(1, bandwidth=0.1, base_point=30).fit(arc())
    path = model.geodesic([3.0], t=31)
    known = np.isfinite(path).all(axis=1)
    assert 0.3 < known.mean() < 0.5
    assert known[: known.sum()].all()  # once lost, always lost
    assert np.isnan(model.exp([[3.0]])).all()
    ends = model.inverse_transform([[np.nan], [3.0], [0.1]])
    np.testing.assert_array_equal(np.isnan(ends[:, 0]), [True, True, False])
    gap = arc(gap=1.0)
    model = PrincipalSubbundle(1, bandwidth=0.1, base_point=45).fit(gap)
    toward = np.sign(gap[0, 0] - gap[45, 0]) * np.sign(model.base_frame_[0, 0])
    assert np.isnan(model.exp([[2.5 * toward]])).all()
    P = model.reconstruct(radius=2.0, bases=gap[45:46])
    assert np.isfinite(P).all()
    assert P[:, 0].min() > 0.5


def test_antipodes_have_one_of_many_logarithms():
    X = fibonacci(300)
    model = PrincipalSubbundle(2, bandwidth=0.35, base_point=X[0]).fit(X)
    v = model.transform(-X[:1])
    assert np.linalg.norm(v) == pytest.approx(np.pi, abs=0.1)


@pytest.mark.parametrize("manifold", ["sphere", Sphere(2, radius=2.0)], ids=str)
def test_bandwidth_that_sees_the_cut_locus(manifold):
    radius = getattr(manifold, "radius", 1.0)
    X = radius * fibonacci()
    refused(
        "third of the injectivity radius",
        X,
        1,
        manifold=manifold,
        bandwidth=1.1 * radius,
    )


def test_points_off_the_manifold():
    X = fibonacci()
    refused(
        r"X\[4\] is not on Sphere",
        X * np.where(np.arange(60) == 4, 1.5, 1.0)[:, None],
        1,
        manifold="sphere",
    )
    refused("is not on Hyperboloid", X, 1, manifold="hyperboloid")
    refused("point_shape", X, 1, manifold=Sphere(5))
    model = PrincipalSubbundle(1, manifold="sphere", bandwidth=0.5).fit(
        X[abs(X[:, 2]) < 0.2]
    )
    with pytest.raises(ValueError, match=r"base\[0\] is not on Sphere"):
        model.exp([[0.1]], base=[2.0, 0.0, 0.0])


@pytest.mark.parametrize("manifold", ["poincare", "torus", SPD(2)], ids=str)
def test_other_manifolds(manifold):
    refused(
        "is not supported.*'euclidean', 'sphere', 'hyperboloid'",
        disc(),
        manifold=manifold,
    )


def test_hyperboloids_of_any_curvature():
    space = Hyperboloid(2, curvature=-0.25)
    X = space.exp(space.origin, [[0.0, t, 0.0] for t in np.linspace(-2.0, 2.0, 60)])
    model = PrincipalSubbundle(1, manifold=space, bandwidth=0.3, base_point=30)
    V = model.fit_transform(X)
    true = space.dist(X[30], X)
    np.testing.assert_allclose(abs(V[:, 0]), true, rtol=1e-6, atol=1e-9)


def test_base_points():
    X = disc()
    refused("base_point=80 must be the index", X, base_point=80)
    refused("base_point has shape", X, base_point=[0.0, 0.0])
    refused("from the nearest sample", X, bandwidth=0.4, base_point=[9.0, 0.0, 0.0])
    refused("base_point", X, base_point="middle")
    last = PrincipalSubbundle(2, bandwidth=0.4, base_point=-1).fit(X)
    np.testing.assert_array_equal(last.base_point_, X[-1])


@pytest.mark.parametrize(
    "options",
    [
        {"n_components": 0},
        {"n_components": 1.5},
        {"kernel": "box"},
        {"support": 0.5},
        {"center_base": "median"},
        {"base_bandwidth": -1.0},
        {"integrator": "euler"},
        {"step": 0.0},
        {"radius": 0.0},
        {"n_directions": 0},
        {"init": "tangent"},
        {"n_neighbors": 0},
        {"epsilon": 0.0},
        {"epsilon": 2.0},
        {"max_iter": 0},
        {"tol": 0.0},
        {"tol": 1.0},
        {"base_point": True},
        {"store_jacobian": "yes"},
        {"n_jobs": "all"},
        {"manifold": 3},
    ],
    ids=str,
)
def test_parameters_out_of_range(options):
    name = next(iter(options))
    with pytest.raises(ValueError, match=name):
        PrincipalSubbundle(**options).fit(disc())


def test_arguments_of_curves():
    model = PrincipalSubbundle(2, bandwidth=0.4).fit(disc())
    with pytest.raises(ValueError, match=r"n_components=2 coordinates have shape"):
        model.exp([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match=r"V\[1\] is infinite"):
        model.exp([[0.0, 0.0], [np.inf, 0.0]])
    with pytest.raises(ValueError, match="base has shape"):
        model.log(disc(3), base=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="t must be"):
        model.geodesic([0.1, 0.0], t=[[0.0]])
    with pytest.raises(ValueError, match="t must be at least 2"):
        model.geodesic([0.1, 0.0], t=1)


def test_questions_before_fit_are_refused():
    X, model = disc(), PrincipalSubbundle()
    questions = ["transform", "distance", "residuals", "score_samples", "score", "log"]
    questions += ["tangent_space", "local_pca", "project", "inverse_transform", "exp"]
    for name in [*questions, "geodesic"]:
        with pytest.raises(NotFittedError):
            getattr(model, name)(X)
    with pytest.raises(NotFittedError):
        model.reconstruct()


def test_curves_whose_energy_drifts_are_said():
    rng = np.random.default_rng(0)
    X = fibonacci(300) + 0.1 * rng.normal(size=(300, 3))
    model = PrincipalSubbundle(2, bandwidth=0.2, step=3.0).fit(X)
    match = r"energy of 3 of 3 curves changes by up to 0\.0.*lower step=3"
    with pytest.warns(UserWarning, match=match):
        model.exp([[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0]])
