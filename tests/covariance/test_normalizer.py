"""SPDNormalizer on the metrics whose translations are defined everywhere."""

import pickle
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from geolearn.covariance import SPDNormalizer, _translation
from geolearn.covariance._translation import make_translation
from geolearn.manifolds import SPD
from tests.peers import pyriemann
from tests.reference import transfer

# The tolerance is below rounding: the mean goes on until it rests.
pytestmark = pytest.mark.filterwarnings("ignore:The Fréchet mean:UserWarning")
EXACT = {"tol": 1e-14, "max_iter": 200}
GROUPS = ["affine_invariant", "log_euclidean", "log_cholesky"]
EPS = 1e-5


def make_matrices(n_samples=30, n=4, *, seed=0, spread=0.5):
    rng = np.random.default_rng(seed)
    L = np.eye(n) + spread * np.tril(rng.normal(size=(n_samples, n, n))) / 2.0
    return L @ np.swapaxes(L, 1, 2)


def other_matrix(seed=1, n=4):
    return make_matrices(1, n, seed=seed)[0]


@pytest.mark.parametrize("bias", [None, other_matrix()], ids=["identity", "bias"])
@pytest.mark.parametrize("power", [1.0, 0.5, -1.0])
@pytest.mark.parametrize("metric", GROUPS)
def test_the_result_has_the_mean_and_the_dispersion_that_were_asked_for(
    metric, power, bias
):
    X = make_matrices()
    weight = np.random.default_rng(2).random(len(X))
    options = {"power": power, **EXACT}
    normalizer = SPDNormalizer(metric, scale=0.7, bias=bias, **options)
    Z = normalizer.fit_transform(X, sample_weight=weight)
    again = SPDNormalizer(metric, **options).fit(Z, sample_weight=weight)
    v = normalizer.variance_
    target = np.eye(4) if bias is None else bias
    np.testing.assert_allclose(again.mean_, target, rtol=0, atol=1e-13)
    np.testing.assert_allclose(again.variance_, 0.49 * v / (v + EPS), rtol=1e-13)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize("metric", GROUPS)
def test_mean_and_dispersion_are_those_of_the_manifold(metric, power):
    X = make_matrices()
    geometry = SPD(4, metric, power=None if metric == "log_euclidean" else power)
    normalizer = SPDNormalizer(metric, power=power, **EXACT).fit(X)
    result = geometry.frechet_mean(X, tol=1e-14, max_iter=200, return_result=True)
    np.testing.assert_allclose(normalizer.mean_, result.mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(normalizer.variance_, result.variance, rtol=1e-11)


@pytest.mark.parametrize(
    ("options", "reference"),
    [
        ({}, transfer.normalise_affine),
        ({"whitening": "symmetric"}, transfer.normalise_affine_symmetric),
        ({"metric": "log-euclidean"}, transfer.normalise_log_euclidean),
        ({"metric": "logchol"}, transfer.normalise_log_cholesky),
    ],
)
def test_transform_is_the_definition(options, reference):
    X, B = make_matrices(8), other_matrix()
    normalizer = SPDNormalizer(**options, scale=1.5, bias=B).fit(X)
    factor = 1.5 / np.sqrt(normalizer.variance_ + EPS)
    expected = reference(X, normalizer.mean_, B, factor)
    np.testing.assert_allclose(normalizer.transform(X), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("whitening", ["cholesky", "symmetric"])
def test_without_scaling_the_move_is_one_congruence(whitening):
    X, B = make_matrices(8), other_matrix()
    normalizer = SPDNormalizer(with_std=False, bias=B, whitening=whitening).fit(X)
    reference = {
        "cholesky": transfer.normalise_affine,
        "symmetric": transfer.normalise_affine_symmetric,
    }[whitening]
    expected = reference(X, normalizer.mean_, B, 1.0)
    np.testing.assert_allclose(normalizer.transform(X), expected, rtol=0, atol=1e-12)
    back = normalizer.inverse_transform(expected)
    np.testing.assert_allclose(back, X, rtol=0, atol=1e-12)


def test_graded_matrices_are_scaled_accurately():
    """Condition number 1e12: the small eigenvalues of the powers keep their digits."""
    d = np.array([1.0, 1e-3, 1e-6])
    X = make_matrices(5, 3) * np.outer(d, d)
    Z = make_translation("affine_invariant", 3).move(X, np.eye(3), None, 0.5)[0]
    for A, R in zip(X, Z, strict=True):
        with mpmath.workdps(50):
            values, V = mpmath.eigsy(mpmath.matrix(A.tolist()))
            W = V * mpmath.diag([v**-0.25 for v in values])
            ratio = mpmath.eigsy(W.T * mpmath.matrix(R.tolist()) * W)[0]
            error = max(abs(mpmath.log(r)) for r in ratio)
        assert error < 1e-9  # from a plain eigendecomposition 1e-5


def test_power_works_on_the_powers():
    X = make_matrices(8)
    normalizer = SPDNormalizer(power=0.5, **EXACT).fit(X)
    roots = np.array([transfer.power(A, 0.5) for A in X])
    plain = SPDNormalizer(eps=0.0, **EXACT).fit(roots)
    np.testing.assert_allclose(normalizer.variance_, 4.0 * plain.variance_, rtol=1e-11)
    M = transfer.affine_mean(roots)
    np.testing.assert_allclose(normalizer.mean_, M @ M, rtol=0, atol=1e-11)
    # eps is added in the units of the deformed metric
    factor = 1.0 / np.sqrt(normalizer.variance_ + EPS)
    moved = transfer.normalise_affine(roots, M, np.eye(4), factor)
    np.testing.assert_allclose(
        normalizer.transform(X), moved @ moved, rtol=0, atol=1e-10
    )


def test_log_euclidean_does_not_feel_the_power():
    X = make_matrices()
    one, half = (SPDNormalizer("log_euclidean", power=p).fit(X) for p in (1.0, 0.5))
    assert half.variance_ == one.variance_
    np.testing.assert_array_equal(half.transform(X), one.transform(X))


def test_symmetric_whitening_is_the_inverse_root():
    X = make_matrices()
    options = {"with_std": False, "whitening": "symmetric"}
    normalizer = SPDNormalizer(**options).fit(X)
    values, V = np.linalg.eigh(normalizer.mean_)
    W = V / np.sqrt(values) @ V.T
    np.testing.assert_allclose(normalizer.transform(X), W @ X @ W, rtol=0, atol=1e-13)


def test_without_mean_the_matrices_are_scaled_about_their_mean():
    X = make_matrices()
    for metric in [*GROUPS, "bures_wasserstein"]:
        normalizer = SPDNormalizer(metric, with_mean=False, scale=0.5, **EXACT).fit(X)
        again = SPDNormalizer(metric, **EXACT).fit(normalizer.transform(X))
        v = normalizer.variance_
        np.testing.assert_allclose(again.mean_, normalizer.mean_, rtol=0, atol=1e-13)
        np.testing.assert_allclose(again.variance_, 0.25 * v / (v + EPS), rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"power": 0.5, "bias": other_matrix()}])
@pytest.mark.parametrize("metric", [*GROUPS, "bures_wasserstein"])
def test_inverse_transform_undoes_transform(metric, options):
    X = make_matrices()
    normalizer = SPDNormalizer(metric, scale=0.5, **options).fit(X)
    back = normalizer.inverse_transform(normalizer.transform(X))
    np.testing.assert_allclose(back, X, rtol=0, atol=1e-12)


def test_affine_normalisation_cancels_changes_of_the_channels():
    X = make_matrices()
    W = np.random.default_rng(3).normal(size=(4, 4))
    plain, changed = (SPDNormalizer(**EXACT).fit_transform(A) for A in (X, W @ X @ W.T))
    # up to a rotation, which the distances do not feel
    geometry = SPD(4)
    np.testing.assert_allclose(
        geometry.pairwise_distances(plain),
        geometry.pairwise_distances(changed),
        rtol=0,
        atol=1e-12,
    )
    # lower triangular changes keep the Cholesky factor a group: nothing is left
    T = np.tril(W) * np.sign(np.diag(W))
    same = SPDNormalizer(**EXACT).fit_transform(T @ X @ T.T)
    np.testing.assert_allclose(same, plain, rtol=0, atol=1e-9)


def test_ill_conditioned_matrices_keep_their_digits():
    scales = np.array([1e-3, 1e-2, 1.0, 1e3])
    X = make_matrices()
    wild = X * np.outer(scales, scales)
    plain, scaled = (SPDNormalizer(**EXACT).fit_transform(A) for A in (X, wild))
    np.testing.assert_allclose(scaled, plain, rtol=0, atol=1e-10)
    # condition numbers of the result up to 1e8
    far = SPDNormalizer(scale=6.0, **EXACT).fit(X)
    assert np.linalg.cond(far.transform(X)).max() > 1e7
    back = far.inverse_transform(far.transform(X))
    np.testing.assert_allclose(back, X, rtol=0, atol=1e-9)


def test_volts_give_what_microvolts_give():
    X = make_matrices()
    for metric in ("affine_invariant", "log_euclidean"):
        expected = SPDNormalizer(metric).fit_transform(X)
        for unit in (1e-14, 1e-29, 1e15):
            Z = SPDNormalizer(metric).fit_transform(X * unit)
            np.testing.assert_allclose(Z, expected, rtol=0, atol=1e-10)


class TestDomains:
    X = make_matrices()
    names = np.array(["b", "a", "c"])[np.arange(30) % 3]

    @pytest.mark.parametrize("metric", [*GROUPS, "bures_wasserstein"])
    def test_each_domain_is_normalised_alone(self, metric):
        weight = np.random.default_rng(0).random(30)
        options = {"metric": metric, "scale": 0.3}
        together = SPDNormalizer(**options).fit(
            self.X, sample_domain=self.names, sample_weight=weight
        )
        Z = together.transform(self.X, sample_domain=self.names)
        assert list(together.means_) == list(together.variance_) == ["a", "b", "c"]
        for name in "abc":
            rows = self.names == name
            alone = SPDNormalizer(**options).fit(
                self.X[rows], sample_weight=weight[rows]
            )
            np.testing.assert_allclose(
                together.means_[name], alone.mean_, rtol=1e-13, atol=1e-13
            )
            np.testing.assert_allclose(
                Z[rows], alone.transform(self.X[rows]), rtol=0, atol=1e-13
            )
        back = together.inverse_transform(Z, sample_domain=self.names)
        np.testing.assert_allclose(back, self.X, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("kind", [list, pd.Series, pd.Categorical, np.array])
    def test_domains_of_every_kind(self, kind):
        expected = SPDNormalizer().fit_transform(self.X, sample_domain=self.names)
        for names in (self.names.tolist(), (self.names == "a").astype(int).tolist()):
            normalizer = SPDNormalizer().fit(self.X, sample_domain=kind(names))
            Z = normalizer.transform(self.X, sample_domain=kind(names))
            assert {type(name) for name in normalizer.means_} <= {str, int}
            if isinstance(names[0], str):
                np.testing.assert_array_equal(Z, expected)

    def test_domains_must_be_given_to_both_or_to_neither(self):
        with_them = SPDNormalizer().fit(self.X, sample_domain=self.names)
        without = SPDNormalizer().fit(self.X)
        with pytest.raises(ValueError, match=r"sample_domain is missing.*'a', 'b'"):
            with_them.transform(self.X)
        with pytest.raises(ValueError, match="fitted without it"):
            without.transform(self.X, sample_domain=self.names)
        with pytest.raises(ValueError, match="sample_domain is missing"):
            with_them.partial_fit(self.X)
        assert not hasattr(with_them.fit(self.X), "means_")
        assert not hasattr(with_them.fit(self.X, sample_domain=self.names), "mean_")

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["a"] * 29, r"shape \(30,\), got \(29,\)"),
            (["a"] * 29 + [None], r"sample_domain\[29\] is None"),
            ([1.0] * 29 + [np.nan], r"sample_domain\[29\] is nan"),
            (np.array(["a"] * 29 + [1], dtype=object), "mixes strings and numbers"),
            (["a"] * 29 + [1], "mixes strings and numbers"),
            (np.full(30, 1j), "strings or numbers, got dtype complex"),
        ],
    )
    def test_bad_domains_are_named(self, names, message):
        with pytest.raises(ValueError, match=message):
            SPDNormalizer().fit(self.X, sample_domain=names)

    def test_unknown_domain_lists_the_known(self):
        normalizer = SPDNormalizer().fit(self.X, sample_domain=self.names)
        with pytest.raises(ValueError, match=r"'z'.*known are 'a', 'b', 'c'"):
            normalizer.transform(self.X[:1], sample_domain=["z"])

    def test_domain_without_weight_is_named(self):
        with pytest.raises(ValueError, match="zero for every matrix of the domain 'b'"):
            SPDNormalizer().fit(
                self.X, sample_domain=self.names, sample_weight=self.names != "b"
            )


class TestPartialFit:
    def test_first_call_is_fit(self):
        X = make_matrices()
        np.testing.assert_array_equal(
            SPDNormalizer().partial_fit(X).mean_, SPDNormalizer().fit(X).mean_
        )

    @pytest.mark.parametrize("metric", [*GROUPS, "bures_wasserstein"])
    @pytest.mark.parametrize("power", [1.0, 0.5])
    def test_mean_and_dispersion_go_a_part_of_the_way(self, metric, power):
        X, Y = make_matrices(), 2.0 * make_matrices(seed=5)
        options = {"metric": metric, "power": power, "scale": 0.3, "momentum": 0.2}
        old, new = (SPDNormalizer(**options).fit(A) for A in (X, Y))
        running = SPDNormalizer(**options).fit(X).partial_fit(Y)
        geometry = SPD(4, metric, power=None if metric == "log_euclidean" else power)
        expected = geometry.geodesic(old.mean_, new.mean_, 0.2)
        np.testing.assert_allclose(running.mean_, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(
            running.variance_, 0.8 * old.variance_ + 0.2 * new.variance_, rtol=1e-12
        )

    def test_converges_to_a_stream_that_has_moved(self):
        normalizer = SPDNormalizer(momentum=0.5).fit(make_matrices())
        Y = 5.0 * make_matrices(seed=5)
        for _ in range(60):
            normalizer.partial_fit(Y)
        expected = SPDNormalizer().fit(Y)
        np.testing.assert_allclose(normalizer.mean_, expected.mean_, rtol=0, atol=1e-7)
        np.testing.assert_allclose(normalizer.variance_, expected.variance_, rtol=1e-9)

    def test_new_domains_join_and_absent_ones_stay(self):
        X = make_matrices()
        first = SPDNormalizer().fit(X, sample_domain=["a"] * 30)
        before = first.means_
        first.partial_fit(2.0 * X, sample_domain=["b"] * 15 + ["c"] * 15)
        assert sorted(first.means_) == ["a", "b", "c"]
        assert list(before) == ["a"]
        np.testing.assert_array_equal(first.means_["a"], before["a"])


class TestRefusals:
    X = make_matrices(6)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"metric": "stein"}, "'affine_invariant', 'bures_wasserstein', 'log_c"),
            ({"metric": "unheard"}, "unheard"),
            (
                {"metric": "log_cholesky", "whitening": "symmetric"},
                "whitening='symmetric', but metric='log_cholesky' has no use",
            ),
            (
                {"metric": "bures_wasserstein", "whitening": "symmetric"},
                "metric='affine_invariant'",
            ),
            ({"metric_matrix": np.eye(4)}, "metric='bures_wasserstein'"),
            ({"on_domain_error": "clip"}, "on_domain_error='clip', but"),
            ({"with_mean": False, "bias": np.eye(4)}, "bias=None or with_mean=True"),
            ({"with_std": False, "scale": 2.0}, "scale=1.0 or with_std=True"),
            ({"power": 0.0}, "power=0 maps"),
            ({"power": np.nan}, "power"),
            ({"bias": np.eye(3)}, r"bias has shape \(3, 3\)"),
            ({"bias": -np.eye(4)}, "bias is not a valid matrix.*positive definite"),
            ({"bias": np.eye(4) + np.eye(4, k=1) / 9}, "bias is not .* symmetric"),
            ({"scale": 0.0}, "scale"),
            ({"momentum": 0.0}, "momentum"),
        ],
    )
    def test_parameters_without_use_or_sense(self, params, message):
        with pytest.raises(ValueError, match=message):
            SPDNormalizer(**params).fit(self.X)

    def test_matrices_that_are_not_positive_definite(self):
        bad = self.X.copy()
        bad[4, 0, 0] = -1.0
        with pytest.raises(ValueError, match="matrix 4 is not positive definite"):
            SPDNormalizer().fit(bad)
        normalizer = SPDNormalizer().fit(self.X, sample_domain=list("aabbab"))
        with pytest.raises(ValueError, match="matrix 4 is not positive definite"):
            normalizer.transform(bad, sample_domain=list("aabbab"))

    def test_equal_matrices_warn_and_are_not_blown_up(self):
        equal = np.repeat(self.X[:1], 5, axis=0)
        normalizer = SPDNormalizer()
        with pytest.warns(UserWarning, match="not above eps=1e-05") as caught:
            normalizer.fit(equal)
        assert caught[0].filename == __file__
        assert normalizer._exponent(0.0) == 1.0 / np.sqrt(EPS)
        np.testing.assert_allclose(
            normalizer.transform(equal), np.eye(4) + np.zeros((5, 4, 4)), atol=1e-9
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SPDNormalizer(with_std=False).fit(equal)

    def test_results_that_rounding_makes_singular_are_refused(self):
        normalizer = SPDNormalizer(scale=60.0).fit(self.X)
        with pytest.raises(ValueError, match=r"of 6 results.*X\[\d\].*Lower scale"):
            normalizer.transform(self.X)

    def test_zero_dispersion_cannot_be_divided_by(self):
        normalizer = SPDNormalizer("log_cholesky", eps=0.0)
        with pytest.warns(UserWarning, match="not above eps=0"):
            normalizer.fit(np.eye(4)[None] + np.zeros((3, 1, 1)))
        with pytest.raises(ValueError, match="use eps > 0"):
            normalizer.transform(self.X)


@pytest.mark.parametrize("metric", [*GROUPS, "bures_wasserstein"])
def test_estimator_conventions(metric):
    X = make_matrices()
    X.setflags(write=False)
    copy = X.copy()
    normalizer = SPDNormalizer(metric, scale=0.3)
    Z = clone(normalizer).fit_transform(X)
    np.testing.assert_array_equal(X, copy)
    fitted = normalizer.fit(X)
    np.testing.assert_array_equal(fitted.transform(X), Z)
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.transform(X), Z)
    threaded = SPDNormalizer(metric, scale=0.3, n_jobs=2).fit_transform(X)
    np.testing.assert_array_equal(threaded, Z)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(
        SPDNormalizer(metric, scale=0.3).fit_transform(X[order]), Z[order], atol=1e-7
    )
    np.testing.assert_allclose(fitted.transform(X[:1]), Z[:1], atol=1e-14)


@pytest.mark.parametrize("metric", [*GROUPS, "bures_wasserstein"])
def test_chunks_do_not_matter(metric, monkeypatch):
    X = make_matrices()
    normalizer = SPDNormalizer(metric, scale=0.3, power=0.5).fit(X)
    expected = normalizer.transform(X)
    calls = []

    def small(n_items, item_bytes):
        calls.append(n_items)
        return [slice(i, min(i + 7, n_items)) for i in range(0, n_items, 7)]

    monkeypatch.setattr(_translation, "pieces", small)
    np.testing.assert_allclose(normalizer.transform(X), expected, rtol=0, atol=1e-14)
    assert calls == [30]


def test_zero_weights_are_absences():
    X = make_matrices()
    weight = (np.arange(30) % 2).astype(float)
    for metric in GROUPS:
        weighted = SPDNormalizer(metric).fit(X, sample_weight=weight)
        absent = SPDNormalizer(metric).fit(X[1::2])
        np.testing.assert_allclose(weighted.mean_, absent.mean_, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weighted.variance_, absent.variance_, rtol=1e-12)


def test_agrees_with_whitening_of_pyriemann():
    preprocessing = pyriemann("preprocessing")
    X = make_matrices()
    expected = preprocessing.Whitening(metric="riemann").fit_transform(X)
    ours = SPDNormalizer(with_std=False, whitening="symmetric").fit_transform(X)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)  # its tolerance
