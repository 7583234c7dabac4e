"""What the fields of principal subbundles know of the space of the data.

The parts that solve for logarithms, charts and base points use a field through these
methods and need not know whether its space is flat.
"""

from typing import Any

import numpy as np

from geolearn.graph import nearest_neighbors

__all__ = ["FieldGeometry"]


class FieldGeometry:
    """Measure between points of the space of a field, given its `manifold`."""

    manifold: Any
    points: np.ndarray

    def difference(self, points, targets) -> np.ndarray:
        """Return vectors from targets to points, whose Euclidean norm is the distance.

        Row i has orthonormal coordinates at ``targets[i]``, one for each dimension of
        the space: ``points[i] - targets[i]`` if it is flat, else the logarithm. Rows
        with NaN stay NaN.
        """
        points, targets = np.broadcast_arrays(np.atleast_2d(points), targets)
        return self.manifold.log_vector(targets, points)

    def neighbors(self, Q, n_neighbors, n_jobs=None) -> tuple[np.ndarray, np.ndarray]:
        """Return distances and indices of the samples nearest to the rows of `Q`.

        None searches for the samples themselves, each without itself.
        """
        options = {"metric": self.manifold, "n_jobs": n_jobs}
        if Q is None:
            return nearest_neighbors(self.points, n_neighbors, **options)
        return nearest_neighbors(Q, n_neighbors, Y=self.points, **options)
