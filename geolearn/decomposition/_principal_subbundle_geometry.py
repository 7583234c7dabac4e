"""Curves, distances and surfaces of a fitted principal subbundle."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from geolearn.decomposition._principal_subbundle_chart import (
    curve_options,
    search_options,
)
from geolearn.decomposition._principal_subbundle_input import (
    check_base,
    check_bases,
    check_coordinates,
    check_new,
    check_times,
)
from geolearn.decomposition._subbundle_base import center_bases, project_to_ridge
from geolearn.decomposition._subbundle_distances import (
    graph_distances,
    pairwise_log_distances,
)
from geolearn.decomposition._subbundle_fan import SPACING, reconstruct, spread_bases
from geolearn.decomposition._subbundle_model import Flow
from geolearn.decomposition._subbundle_reach import Reach
from geolearn.decomposition._subbundle_types import ENERGY_DRIFT
from geolearn.utils._progress import Progress
from geolearn.utils.validation import check_integer, check_positive

__all__ = ["SubbundleGeometry"]


class SubbundleGeometry:
    """Answer questions about the field of subspaces, whatever the chart."""

    def exp(self, V, base=None):
        """Follow curves of given initial velocities for unit time.

        Parameters
        ----------
        V : array-like of shape (n, n_components)
            Velocities in the frame at the base, such as rows of :meth:`transform`.
            Rows with NaN are answered by NaN.
        base : array-like of shape (n_features,), default=None
            Where the curves start, in the frame that :meth:`tangent_space` returns;
            None starts at ``base_point_``.

        Returns
        -------
        ndarray of shape (n, n_features)
            End points; NaN where a curve leaves the data or the subspace is not
            defined on its way.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If a shape is wrong or an entry infinite.

        Warns
        -----
        UserWarning
            If curves are inexact, as the bandwidth is too small for the noise or the
            steps too long.
        """
        check_is_fitted(self)
        V = check_coordinates(V, self.n_components_)
        base, frame = self._start(base)
        points = np.full((len(V), len(base)), np.nan)
        known = np.isfinite(V).all(axis=1)
        if known.any():
            points[known] = self._shoot(base, V[known] @ frame.T).points
        return points

    def geodesic(self, v, base=None, t=50):
        """Return points along curves of given initial velocities.

        Parameters
        ----------
        v : array-like of shape (n_components,) or (n, n_components)
            Velocity of one curve, or of several.
        base : array-like of shape (n_features,), default=None
            Where the curves start; None starts at ``base_point_``.
        t : int or array-like of shape (n_times,), default=50
            Times, of any sign; at time 1 a curve has the length of its velocity. An
            int stands for that many equal steps from 0 to 1.

        Returns
        -------
        ndarray of shape (n_times, n_features) or (n, n_times, n_features)
            Points; NaN from where a curve leaves the data.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If a shape is wrong or `t` is an int below 2.
        """
        check_is_fitted(self)
        v = np.asarray(v, dtype=np.float64)
        V = check_coordinates(np.atleast_2d(v), self.n_components_, name="v")
        times = check_times(t)
        base, frame = self._start(base)
        if isinstance(t, Integral):
            shot = self._shoot(base, V @ frame.T, record=int(t) - 1)
            points = shot.path
        else:
            # Curves are homogeneous: exp(t v) is the point of v at time t.
            each = (times[:, None] * V[:, None]).reshape(-1, V.shape[1])
            points = self.exp(each, base).reshape(len(V), len(times), -1)
        return points[0] if v.ndim == 1 else points

    def log(self, Y, base=None):
        """Return the initial velocities of the curves that end nearest to points.

        Parameters
        ----------
        Y : array-like of shape (n, n_features)
            Points.
        base : array-like of shape (n_features,), default=None
            Where the curves start, in the frame that :meth:`tangent_space` returns;
            None starts at ``base_point_``, which is what :meth:`transform` does.

        Returns
        -------
        ndarray of shape (n, n_components)
            Velocities, whose norms are the distances from the base along the surface
            through it; NaN where none is found.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `Y` is not finite, not on the manifold or has other features, or `base`
            has another shape than one point.
        """
        check_is_fitted(self)
        if base is None:
            return self._chart_of(check_new(self, Y)).v
        Y = check_new(self, Y)
        base, frame = self._start(base)
        flow = Flow(self.step, self.integrator, self.n_jobs)
        options = {"max_iter": self.max_iter, "tol": self.tol, "flow": flow}
        return Reach(self._field, Y, options).logs(base[None], frame[None]).v

    def distance(self, X, Y=None, *, symmetric=True, method="log"):
        """Return distances along the surfaces through points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Points.
        Y : array-like of shape (m, n_features), default=None
            Others; None takes those of `X`.
        symmetric : bool, default=True
            Whether to take the mean of both directions where both exist. A curve from
            x passes y at its residual only, so that the two differ slightly. Graphs
            are symmetric anyway.
        method : {"log", "graph"}, default="log"
            "log" takes the length of the shortest curve from x that ends nearest to
            y. "graph" adds edges of the graph of `n_neighbors` neighbours among
            training samples, with steps across the subspaces divided by the root of
            `epsilon`; for many pairs.

        Returns
        -------
        ndarray of shape (n, m)
            Distances, infinite between points that are not connected.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If points are not finite, not on the manifold or have other features, or
            if `method` is unknown.

        Warns
        -----
        UserWarning
            If `method` is "log" and distances are infinite.
        """
        check_is_fitted(self)
        X = check_new(self, X)
        Y = None if Y is None else check_new(self, Y, name="Y")
        if method == "graph":
            return graph_distances(
                self._field,
                X,
                Y,
                n_neighbors=self.n_neighbors,
                epsilon=self.epsilon,
                n_jobs=self.n_jobs,
            )
        if method != "log":
            raise ValueError(f"method={method!r} must be 'log' or 'graph'.")
        return pairwise_log_distances(
            self._field,
            X,
            Y,
            symmetric,
            progress=Progress(self.verbose, __name__),
            **search_options(self),
        )

    def reconstruct(
        self,
        radius=None,
        *,
        n_points=None,
        bases=None,
        overlap="union",
        return_result=False,
    ):
        """Return points of surfaces that cover the data.

        Fans of curves leave base points in `n_directions` directions.

        Parameters
        ----------
        radius : float, default=None
            Length of the curves, and distance of the base points from each other;
            None takes the parameter `radius` of the estimator, or four bandwidths if
            that is None.
        n_points : int, default=None
            About how many points to return, in place of `n_directions`. Fewer, where
            curves leave the data.
        bases : array-like of shape (n_bases, n_features), default=None
            Base points, such as ``model.base_point_[None]`` for one surface. None
            takes samples, from the fitted base point on each as far as possible from
            those before, until all are within `radius`.
        overlap : {"union", "average"}, default="union"
            Whether the surfaces stay as they are, or are moved across their tangent
            spaces to the mean of those nearby.
        return_result : bool, default=False
            Whether to return where points come from, too.

        Returns
        -------
        points : ndarray of shape (n, n_features)
            Points, all finite: where a curve leaves the data, it ends.
        result : namedtuple
            Only if `return_result` is True, in place of the array: `points`; `base`,
            the row of the base of each; `v`, its coordinates there; `status`, 0, or 2
            where the energy drifted; `bases`.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `radius` is not positive, `n_points` below 1, `overlap` unknown, or
            `bases` are not points of the manifold.
        """
        check_is_fitted(self)
        radius = self.radius if radius is None else check_positive(radius, "radius")
        if n_points is not None:
            n_points = check_integer(n_points, "n_points")
        if bases is not None:
            bases = check_bases(self, bases)
        elif self.center_base is not False:
            bases = self._centered_bases(radius)
        result = reconstruct(
            self._field,
            bases,
            radius=radius,
            n_points=n_points,
            n_directions=self.n_directions,
            overlap=overlap,
            start=self.base_point_,
            seed=self._seed,
            **curve_options(self),
        )
        return result if return_result else result.points

    def _centered_bases(self, radius):
        field = self._field
        spacing = SPACING * field.bandwidth if radius is None else radius
        bases = spread_bases(field, spacing, self.base_point_)
        # The first of them is centred already.
        how = (self.center_base, self.base_bandwidth)
        bases[1:] = center_bases(field, bases[1:], *how)
        return bases

    def tangent_space(self, X):
        """Return orthonormal bases of the subspaces at points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Points, on the data or off them.

        Returns
        -------
        ndarray of shape (n, n_features, n_components)
            Columns by decreasing eigenvalue, the entry of largest size of each
            positive; arbitrary where eigenvalues k and k + 1 are equal, as where one
            sample bears all the weight, and NaN where none does. They carry no
            orientation: between neighbours, signs may change
            and, where eigenvalues are equal, columns may turn.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.
        """
        check_is_fitted(self)
        return self._field.frame(check_new(self, X), self.n_jobs)

    def local_pca(self, X):
        """Return the weighted principal components around points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Points, on the data or off them.

        Returns
        -------
        LocalSpectra
            Named tuple of `mean` (n, n_features), the local mean; `eigenvalues`
            (n, r) of the local covariance, decreasing, with r at most the dimension
            of the space; `vectors` (n, n_features, r), their unit eigenvectors as
            columns; `n_eff` (n,), the effective number of samples; `nearest` (n,),
            the distance to the nearest sample.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.
        """
        check_is_fitted(self)
        return self._field.local_pca(check_new(self, X), self.n_jobs)

    def project(self, X):
        """Move points onto the ridge of the data, across the subspaces.

        The ridge is where the local mean differs from the point along the subspace
        only: the middle of the noise, shifted by the bandwidth's bias towards the
        centre of curvature.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Points.

        Returns
        -------
        ndarray of shape (n, n_features)
            Points of the ridge; NaN where the iteration ends where no curve could
            start: far from the data, or where the subspace is not defined.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or has other features.
        """
        check_is_fitted(self)
        return project_to_ridge(self._field, check_new(self, X))[0]

    def _start(self, base):
        """Return a base point and its frame."""
        if base is None:
            return self.base_point_, self.base_frame_
        base = check_base(base, self.manifold_)
        return base, self._field.frame(base[None], self.n_jobs)[0]

    def _shoot(self, base, eta, record=None):
        """Follow curves, and say so where their energy drifts."""
        shot = self._field.shoot(base, eta, record=record, **curve_options(self))
        drifting = shot.status == ENERGY_DRIFT
        if drifting.any():
            warnings.warn(
                f"The energy of {drifting.sum()} of {len(drifting)} curves changes by "
                f"up to {shot.drift[drifting].max():.1g} of itself, so that they are "
                f"inexact: lower step={self.step:g}, or raise the bandwidth "
                f"{self.bandwidth_:.3g}.",
                UserWarning,
                stacklevel=3,
            )
        return shot
