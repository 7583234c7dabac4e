"""Growth of the hyperbolic embeddings with the number of nodes of a random tree."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from geolearn.embedding import (
    HyperbolicDiffusionDistance,
    HyperbolicMDS,
    TreeEmbedding,
)


def random_tree(n):
    """Return the symmetric adjacency of a tree of random attachments."""
    parents = [np.random.default_rng(i).integers(i) for i in range(1, n)]
    A = sparse.coo_array((np.ones(n - 1), (parents, np.arange(1, n))), shape=(n, n))
    return (A + A.T).tocsr()


class Trees:
    """Time of `fit`, and the distortion that double precision allows."""

    params = ((500, 1000, 2000),)
    param_names = ("n",)

    def setup(self, n):
        self.A = random_tree(n)
        self.D = shortest_path(self.A, directed=False)
        HyperbolicMDS(scale=0.2).fit(self.D[:50, :50])

    def time_mds(self, n):
        HyperbolicMDS(scale=0.2).fit(self.D)

    def time_tree(self, n):
        TreeEmbedding(root="center").fit(self.A)

    def time_tree_distances(self, n):
        TreeEmbedding(root="center").fit(self.A).distances()

    def time_diffusion(self, n):
        HyperbolicDiffusionDistance().fit(self.A)

    def track_mds_distortion(self, n):
        return HyperbolicMDS().fit(self.D).distortion_
