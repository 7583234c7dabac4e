"""When a descent lowers its learning rate, and when it stops."""

import math

import numpy as np

from geolearn.utils.validation import check_integer

# At rest, the learning rate is multiplied by this; six times are three digits.
_DECAY = 0.3

# Share of the learning rate during burn-in, as in the protocol of Manify.
_BURN_IN = 0.1


class Schedule:
    """Record losses and tell the next learning rate, relative to the given one.

    Parameters are those of `RiemannianAdam.minimize`.
    """

    def __init__(self, max_iter, tol, patience, n_decays, burn_in, target):
        self.max_iter = check_integer(max_iter, "max_iter")
        self.patience = check_integer(patience, "patience")
        self.decays_left = check_integer(n_decays, "n_decays", minimum=0)
        self.burn_in = check_integer(burn_in, "burn_in", minimum=0)
        if not 0.0 <= tol < math.inf:
            raise ValueError(f"tol={tol!r} must be non-negative and finite.")
        self.tol = tol
        self.target = target
        self.losses = []
        self.converged = False
        self._rate = 1.0
        self._since = 0  # number of losses before the present rate

    def next(self, loss):
        """Record a loss; return the factor of the learning rate, 0 to stop."""
        if not math.isfinite(loss):
            raise ValueError(
                f"The loss is {loss} after {len(self.losses)} steps; lower "
                f"learning_rate or start elsewhere."
            )
        self.losses.append(loss)
        n = len(self.losses)
        if loss <= self.target or (self._at_rest() and not self._lower()):
            self.converged = True
            return 0.0
        if n >= self.max_iter:
            return 0.0
        return self._rate * (_BURN_IN if n <= self.burn_in else 1.0)

    def _at_rest(self):
        """Compare the means of the last two windows at the present rate."""
        if len(self.losses) - max(self._since, self.burn_in) < 2 * self.patience:
            return False
        before = np.mean(self.losses[-2 * self.patience : -self.patience])
        now = np.mean(self.losses[-self.patience :])
        return before - now <= self.tol * abs(before)

    def _lower(self):
        """Lower the rate if that is still to be done; say whether it was."""
        if not self.decays_left:
            return False
        self.decays_left -= 1
        self._rate *= _DECAY
        self._since = len(self.losses)
        return True
