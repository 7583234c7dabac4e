"""Whether points can span a subspace: independent, and off one another's cut loci."""

import numpy as np

from geolearn.decomposition._affine_span_local import Local
from geolearn.utils.validation import check_points

__all__ = ["check_references"]

_DEPENDENT = 1e-10  # share of a logarithm outside the span of others that is rounding


def check_references(manifold, references):
    """Return valid references, or name those that depend on others."""
    references = check_points(manifold, references, name="references")
    k = len(references) - 1
    Z = Local(manifold, references[None]).logs(
        references, np.zeros(k + 1, dtype=np.intp)
    )
    cut = np.flatnonzero(~np.isfinite(Z).all(axis=(1, 2)))
    if cut.size:
        i = cut[0]
        j = int(np.argmax(manifold._dist(references[i], references)))
        raise ValueError(
            f"references[{i}] and references[{j}] lie on one another's cut locus on "
            f"{manifold!r}: no shortest geodesic is distinguished. Move or leave out "
            f"one of them."
        )
    if k < 1 or k > manifold.dim:
        return references
    for i in range(k + 1):
        others = np.delete(np.arange(k + 1), i)
        vectors = Z[i][:, others]
        sizes = np.linalg.norm(vectors, axis=0)
        R = np.abs(np.diag(np.linalg.qr(vectors, mode="r")))
        dependent = np.flatnonzero(~(_DEPENDENT * sizes < R))
        if dependent.size:
            wrong = [i, *others[: dependent[0] + 1]]
            raise ValueError(
                f"references{sorted(int(j) for j in wrong)} are affinely dependent on "
                f"{manifold!r}: references[{others[dependent[0]]}] lies in the span of "
                f"the others. Leave it out, or choose another point."
            )
    return references
