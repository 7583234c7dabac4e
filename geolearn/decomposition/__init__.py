"""Principal subspaces of data on manifolds."""

__all__: list[str] = []
