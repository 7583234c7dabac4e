"""Velocity and force of the curves of a principal subbundle, for few features.

Lengths are in units of the bandwidth. What follows curves calls `slope` through a
pointer.
"""

# kernels: _subbundle_kernels=454d50b1 _subbundle_law=1079772d
# kernels: _subbundle_weights=c3d57322

from geolearn.decomposition._subbundle_kernels import gradient, local_pca
from geolearn.decomposition._subbundle_law import (
    LEFT,
    SINGULAR,
    along_line,
    finite,
    judge,
)
from geolearn.decomposition._subbundle_weights import list_samples, serves
from geolearn.utils._jit import kernel


@kernel
def slope(eigenpairs, samples, near, law, p, eta, line, V, room, velocity, force):
    """Fill velocity and force at (p, eta); return a status.

    A line field, of rank 1, needs no force: eta is then the last velocity, which
    gives speed and sign. The list of samples is replaced where it does not serve.
    """
    if not (finite(p) and finite(eta)):
        return SINGULAR
    if not serves(near, p, law.skin):
        list_samples(samples, near, p, law.kind, law.support, law.skin)
    if not local_pca(eigenpairs, near, p, law.kind, law.support, room):
        return LEFT
    gradient(near, room, eta, law.rank, not line, velocity, force)
    if line:
        along_line(eta, velocity)
    return judge(room.facts, room.values, law, velocity, force)
