"""A disguise in which scikit-learn can check estimators of product spaces.

Subclasses for tests only lift each row x of any table to the product of a
hyperboloid (of spatial coordinates arsinh(x)), flat space (x itself) and a circle
for each column (at the angle 2 arctan(x)).
"""

import functools

import numpy as np


def signature_of(n_columns):
    """Return the signature of lifted rows."""
    return [(-0.5, n_columns), (0.0, n_columns), *[(1.0, 1)] * n_columns]


def lift(rows):
    """Return points of the product space of `signature_of`."""
    space, angles = np.arcsinh(rows), 2.0 * np.arctan(rows)
    time = np.sqrt(2.0 + np.sum(space**2, axis=1))[:, None]
    circles = np.stack([np.cos(angles), np.sin(angles)], axis=2)
    return np.hstack([time, space, rows, circles.reshape(len(rows), -1)])


def disguise(estimator):
    """Return a copy of an estimator that takes rows of scikit-learn's checks."""
    cls = _disguised_class(type(estimator))
    return cls(**estimator.get_params(deep=False))


@functools.cache
def _disguised_class(cls):
    def _define_features(self, n_columns):
        given = self.signature
        self.signature = signature_of(n_columns)
        super(lifted, self)._define_features(lift(np.zeros((1, n_columns))).shape[1])
        self.signature = given

    def _features(self, X, single):
        return super(lifted, self)._features(lift(X), single)

    name = f"Lifted{cls.__name__}"
    lifted = type(
        name,
        (cls,),
        {
            "__doc__": f"{cls.__name__} of lifted rows.",
            "__module__": __name__,
            "_define_features": _define_features,
            "_features": _features,
        },
    )
    globals()[name] = lifted  # pickle looks the class up here
    return lifted
