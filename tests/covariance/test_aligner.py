"""SPDAligner: centre and dispersion of domains, and domains that are new."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from geolearn.covariance import SPDAligner
from geolearn.manifolds import SPD
from tests.peers import pyriemann
from tests.reference import transfer

METRICS = ["affine_invariant", "log_euclidean", "log_cholesky"]
EXACT = {"tol": 1e-12}
pytestmark = pytest.mark.filterwarnings("ignore:The Fréchet mean:UserWarning")


def make_sessions(n_sessions=3, n_samples=20, n=4, *, seed=0):
    """Return matrices of two classes in sessions of other mixing and spread."""
    rng = np.random.default_rng(seed)
    X, y, session = [], [], []
    for k in range(n_sessions):
        labels = np.arange(n_samples) % 2
        L = np.eye(n) + (0.2 + 0.1 * k) * np.tril(rng.normal(size=(n_samples, n, n)))
        L[:, 0] *= np.where(labels == 0, 1.0, 1.6)[:, None]
        W = np.eye(n) + 0.4 * rng.normal(size=(n, n))
        L = (1.0 + k) * W @ L
        X.append(L @ np.swapaxes(L, 1, 2))
        y.append(labels)
        session.extend([f"s{k}"] * n_samples)
    order = rng.permutation(n_sessions * n_samples)
    X, y = np.concatenate(X)[order], np.concatenate(y)[order]
    return X, y, np.array(session)[order]


X, Y, SESSION = make_sessions()


def moments(Z, metric="affine_invariant"):
    """Return mean and dispersion."""
    result = SPD(Z.shape[-1], metric).frechet_mean(Z, tol=1e-13, return_result=True)
    return result.mean, result.variance


@pytest.mark.parametrize("metric", METRICS)
class TestCentreAndScale:
    def test_every_domain_gets_the_identity_and_one_dispersion(self, metric):
        aligner = SPDAligner(metric, **EXACT).fit(X, sample_domain=SESSION)
        Z = aligner.transform(X, sample_domain=SESSION)
        pooled = np.mean(
            [moments(X[d == SESSION], metric)[1] for d in aligner.domains_]
        )
        np.testing.assert_allclose(aligner.target_variance_, pooled, rtol=1e-9)
        for d in aligner.domains_:
            M, v = moments(Z[d == SESSION], metric)
            np.testing.assert_allclose(M, np.eye(4), rtol=0, atol=1e-9)
            np.testing.assert_allclose(v, pooled, rtol=1e-9)

    def test_target_domain_sets_the_dispersion(self, metric):
        aligner = SPDAligner(metric, target_domain="s1", **EXACT)
        Z = aligner.fit_transform(X, sample_domain=SESSION)
        v = moments(X[SESSION == "s1"], metric)[1]
        assert aligner.scales_["s1"] == 1.0
        for d in aligner.domains_:
            np.testing.assert_allclose(
                moments(Z[d == SESSION], metric)[1], v, rtol=1e-9
            )

    def test_scale_alone_keeps_the_means(self, metric):
        aligner = SPDAligner(metric, center=False, target_domain="s0", **EXACT)
        Z = aligner.fit_transform(X, sample_domain=SESSION)
        for d in aligner.domains_:
            M, v = moments(Z[d == SESSION], metric)
            np.testing.assert_allclose(M, aligner.means_[d], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(v, aligner.variances_["s0"], rtol=1e-9)

    def test_domains_are_aligned_alone(self, metric):
        together = SPDAligner(metric, scale=False).fit(X, sample_domain=SESSION)
        Z = together.transform(X, sample_domain=SESSION)
        for d in together.domains_:
            rows = d == SESSION
            alone = SPDAligner(metric, scale=False).fit(X[rows])
            assert alone.domains_ == [None]
            np.testing.assert_allclose(alone.transform(X[rows]), Z[rows], atol=1e-9)


def test_transform_is_the_definition():
    aligner = SPDAligner(**EXACT).fit(X, sample_domain=SESSION)
    Z = aligner.transform(X, sample_domain=SESSION)
    for i in (0, 7, 31):
        d = SESSION[i]
        rows = d == SESSION
        M = transfer.affine_mean(X[rows])
        W = transfer.power(M, -0.5)
        logs = [transfer.function(np.log, W @ A @ W) for A in X[rows]]
        v = np.mean([np.sum(S**2) for S in logs])
        np.testing.assert_allclose(aligner.means_[d], M, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(aligner.variances_[d], v, rtol=1e-9)
        factor = np.sqrt(aligner.target_variance_ / v)
        expected = transfer.power(W @ X[i] @ W, factor)
        np.testing.assert_allclose(Z[i], expected, rtol=0, atol=1e-10)


def test_recentring_cancels_other_mixing():
    rng = np.random.default_rng(1)
    W = rng.normal(size=(4, 4))
    options = {"scale": False, **EXACT}
    geometry = SPD(4)
    plain = SPDAligner(**options).fit_transform(X, sample_domain=SESSION)
    mixed = SPDAligner(**options).fit_transform(W @ X @ W.T, sample_domain=SESSION)
    # M -> W M W^T turns the whitened matrices of each domain by one rotation
    for d in np.unique(SESSION):
        rows = d == SESSION
        np.testing.assert_allclose(
            geometry.pairwise_distances(plain[rows]),
            geometry.pairwise_distances(mixed[rows]),
            rtol=0,
            atol=1e-10,
        )


def test_weights_count_in_mean_dispersion_and_target():
    weight = np.random.default_rng(0).integers(0, 3, size=len(X))
    repeated = np.repeat(np.arange(len(X)), weight)
    one = SPDAligner(**EXACT).fit(X, sample_domain=SESSION, sample_weight=weight)
    two = SPDAligner(**EXACT).fit(X[repeated], sample_domain=SESSION[repeated])
    np.testing.assert_allclose(one.target_variance_, two.target_variance_, rtol=1e-10)
    for d in one.domains_:
        np.testing.assert_allclose(one.means_[d], two.means_[d], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one.scales_[d], two.scales_[d], rtol=1e-10)


class TestUnseen:
    known = SESSION != "s2"
    new = X[SESSION == "s2"]

    def fit(self, **options):
        return SPDAligner(**options, **EXACT).fit(
            X[self.known], sample_domain=SESSION[self.known]
        )

    def test_transductive_takes_the_moments_of_the_call(self):
        aligner = self.fit()
        names = ["s2"] * len(self.new)
        Z = aligner.transform(self.new, sample_domain=names)
        M, v = moments(Z)
        np.testing.assert_allclose(M, np.eye(4), rtol=0, atol=1e-12)
        np.testing.assert_allclose(v, aligner.target_variance_, rtol=1e-11)
        # together with a known domain, which does not matter
        both = aligner.transform(
            np.concatenate([X[self.known], self.new]),
            sample_domain=[*SESSION[self.known], *names],
        )
        np.testing.assert_allclose(both[-len(Z) :], Z, rtol=0, atol=1e-13)
        # and nothing is remembered
        assert aligner.domains_ == ["s0", "s1"]
        assert "s2" not in aligner.means_

    def test_transductive_needs_several_matrices(self):
        with pytest.raises(ValueError, match=r"'s2'.*single matrix.*unseen='last'"):
            self.fit().transform(self.new[:1], sample_domain=["s2"])

    def test_error_lists_the_known(self):
        with pytest.raises(ValueError, match=r"'s2'.*known are 's0', 's1'"):
            self.fit(unseen="error").transform(
                self.new, sample_domain=["s2"] * len(self.new)
            )

    def test_last_takes_the_domain_that_was_seen_last(self):
        aligner = self.fit(unseen="last")
        last = SESSION[self.known][-1]
        assert aligner.last_domain_ == last
        Z = aligner.transform(self.new, sample_domain=["s2"] * len(self.new))
        expected = aligner.transform(self.new, sample_domain=[last] * len(self.new))
        np.testing.assert_array_equal(Z, expected)
        one = aligner.transform(self.new[:1], sample_domain=["s2"])
        np.testing.assert_allclose(one, Z[:1], rtol=0, atol=1e-13)
        aligner.partial_fit(self.new, sample_domain=["s2"] * len(self.new))
        assert aligner.last_domain_ == "s2"


class TestPartialFit:
    def test_mean_goes_along_the_geodesic_and_the_target_stays(self):
        first = SPDAligner(momentum=0.3, **EXACT).fit(X, sample_domain=SESSION)
        before = {d: M.copy() for d, M in first.means_.items()}
        v, target = first.variances_["s1"], first.target_variance_
        Y2 = 2.0 * X[SESSION == "s1"][:10]
        M, v_new = moments(Y2)
        first.partial_fit(Y2, sample_domain=["s1"] * 10)
        np.testing.assert_allclose(
            first.means_["s1"],
            SPD(4).geodesic(before["s1"], M, 0.3),
            rtol=0,
            atol=1e-10,
        )
        np.testing.assert_allclose(first.variances_["s1"], 0.7 * v + 0.3 * v_new)
        np.testing.assert_allclose(
            first.scales_["s1"], np.sqrt(target / first.variances_["s1"])
        )
        assert first.target_variance_ == target
        np.testing.assert_array_equal(first.means_["s0"], before["s0"])
        assert first.last_domain_ == "s1"

    def test_new_domains_join(self):
        known = SESSION != "s1"
        aligner = SPDAligner().partial_fit(X[known], sample_domain=SESSION[known])
        aligner.partial_fit(X[~known], sample_domain=SESSION[~known])
        assert aligner.domains_ == ["s0", "s1", "s2"]
        expected = SPDAligner().fit(X[~known])
        np.testing.assert_allclose(aligner.means_["s1"], expected.means_[None])
        np.testing.assert_array_equal(aligner.rotations_["s1"], np.eye(4))

    def test_rotations_cannot_be_updated(self):
        aligner = SPDAligner(rotate=True, target_domain="s0")
        with pytest.raises(ValueError, match="rotate=False"):
            aligner.partial_fit(X, Y, sample_domain=SESSION)


class TestRefusals:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"metric": "bures_wasserstein"}, "'affine_invariant', 'log_cholesky'"),
            ({"metric": "stein"}, "'affine_invariant', 'log_cholesky'"),
            ({"target_domain": "z"}, r"target_domain='z'.*: 's0', 's1', 's2'"),
            ({"rotate": True}, "rotate=True needs target_domain.*'s0', 's1', 's2'"),
            (
                {"rotate": True, "target_domain": "s0", "center": False},
                "center=True",
            ),
            (
                {"rotate": True, "target_domain": "s0", "metric": "log_cholesky"},
                "'affine_invariant', 'log_euclidean'",
            ),
            ({"unseen": "guess"}, "unseen"),
        ],
    )
    def test_parameters_without_sense(self, params, message):
        with pytest.raises(ValueError, match=message):
            SPDAligner(**params).fit(X, Y, sample_domain=SESSION)

    def test_rotation_needs_labels(self):
        with pytest.raises(ValueError, match="requires y"):
            SPDAligner(rotate=True, target_domain="s0").fit(X, sample_domain=SESSION)

    def test_domains_must_be_given_to_both_or_to_neither(self):
        aligner = SPDAligner().fit(X, sample_domain=SESSION)
        with pytest.raises(ValueError, match=r"sample_domain is missing.*'s0'"):
            aligner.transform(X)
        with pytest.raises(ValueError, match="fitted without it"):
            SPDAligner().fit(X).transform(X, sample_domain=SESSION)
        with pytest.raises(ValueError, match="target_domain='s0' is not among"):
            SPDAligner(target_domain="s0").fit(X)

    def test_numbers_are_not_taken_for_new_domains_beside_strings(self):
        aligner = SPDAligner().fit(X, sample_domain=[d[1:] for d in SESSION])
        numbers = [int(d[1:]) for d in SESSION]
        with pytest.raises(ValueError, match=r"has 0, .* another kind: '0', '1', '2'"):
            aligner.transform(X, sample_domain=numbers)

    def test_a_domain_of_one_matrix_warns(self):
        names = np.array(["a"] * 19 + ["b"])
        with pytest.warns(UserWarning, match="domain 'b' are all equal") as caught:
            aligner = SPDAligner().fit(X[:20], sample_domain=names)
        assert caught[0].filename == __file__
        assert aligner.scales_["b"] == 1.0
        Z = aligner.transform(X[19:20], sample_domain=["b"])
        np.testing.assert_allclose(Z, np.eye(4)[None], rtol=0, atol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_estimator_conventions(metric):
    A = X.copy()
    A.setflags(write=False)
    names = pd.Series(SESSION, index=range(100, 100 + len(X)))
    Z = SPDAligner(metric).fit_transform(A, Y, sample_domain=names)
    np.testing.assert_array_equal(A, X)
    aligner = clone(SPDAligner(metric)).fit(A, sample_domain=SESSION.tolist())
    np.testing.assert_array_equal(aligner.transform(A, sample_domain=SESSION), Z)
    restored = pickle.loads(pickle.dumps(aligner))
    np.testing.assert_array_equal(restored.transform(A, sample_domain=SESSION), Z)
    threaded = SPDAligner(metric, n_jobs=2).fit_transform(A, sample_domain=SESSION)
    np.testing.assert_array_equal(threaded, Z)
    volts = SPDAligner(metric).fit_transform(1e-29 * A, sample_domain=SESSION)
    if metric != "log_cholesky":  # which depends on units
        np.testing.assert_allclose(volts, Z, rtol=0, atol=1e-7)
    numbers = np.unique(SESSION, return_inverse=True)[1]
    other = SPDAligner(metric).fit(A, sample_domain=numbers)
    assert other.domains_ == [0, 1, 2]
    np.testing.assert_array_equal(other.transform(A, sample_domain=numbers), Z)


def test_agrees_with_pyriemann():
    peer = pyriemann("transfer")
    _, y_enc = peer.encode_domains(X, Y, SESSION)
    centred = peer.TLCenter(target_domain="s0").fit_transform(X.copy(), y_enc)
    aligner = SPDAligner(scale=False)
    ours = aligner.fit_transform(X, sample_domain=SESSION)
    np.testing.assert_allclose(ours, centred, rtol=0, atol=1e-6)  # its tolerance
    aligner = SPDAligner(target_domain="s1").fit(X, sample_domain=SESSION)
    scale = peer.TLScale(
        target_domain="s1",
        final_dispersion=aligner.target_variance_,
        centered_data=True,
    )
    expected = scale.fit_transform(centred, y_enc)
    ours = aligner.transform(X, sample_domain=SESSION)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
