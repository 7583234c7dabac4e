"""The orders and lags that trials are long enough for, as a parameter grid."""

from collections.abc import Iterable, Mapping
from typing import Any

from geolearn.utils.validation import check_integer

__all__ = ["augmentation_grid", "feasible_pairs"]


def augmentation_grid(
    orders: int | Iterable[int],
    lags: int | Iterable[int],
    n_channels: int,
    n_times: int,
    *,
    step: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> list[dict[str, list]]:
    """Return the parameter grid of the orders and lags that trials allow.

    A pair of order p and lag l is kept if the embedding leaves at least twice as
    many samples as it has rows, ``n_times - (p - 1) * l >= 2 * p * n_channels``. At
    order 1 all lags mean the same, and only the first is kept.

    Parameters
    ----------
    orders : int or iterable of int
        Orders to try, at least 1.
    lags : int or iterable of int
        Lags to try, at least 1.
    n_channels : int
        Number of channels of the trials.
    n_times : int
        Number of samples of the shortest trial.
    step : str or None, default=None
        Name of the step of a pipeline that takes order and lag, as
        "augmentedcovariances" in ``make_pipeline(AugmentedCovariances(), ...)``.
        None is for an estimator that takes them itself.
    params : mapping or None, default=None
        Further parameters, which are combined with every pair: names to lists of
        values, as in ``{"svc__C": [0.5, 1.0, 1.5]}``.

    Returns
    -------
    list of dict
        Grid for `sklearn.model_selection.GridSearchCV`: one dictionary for each
        order.

    Raises
    ------
    ValueError
        If no pair is feasible, or an order or a lag is below 1.
    TypeError
        If one is not an integer.

    See Also
    --------
    AugmentedCovariances : The transformer that is tuned.

    Notes
    -----
    A score that was maximised over a grid is no estimate of the accuracy on new
    data: on motor imagery the optimism reached 0.06 of the area under the curve.
    Nest the search in an outer cross-validation,
    ``cross_val_score(GridSearchCV(pipeline, grid, cv=3), X, y, cv=5)``.

    The matrices depend on order and lag only. With
    ``make_pipeline(..., memory="folder")`` those of one fold are computed once for
    all other parameters.

    Examples
    --------
    >>> from geolearn.covariance import augmentation_grid
    >>> augmentation_grid([1, 2, 4], [1, 5, 9], n_channels=8, n_times=80)
    [{'order': [1], 'lag': [1]}, {'order': [2], 'lag': [1, 5, 9]},
     {'order': [4], 'lag': [1, 5]}]
    """
    prefix = "" if step is None else f"{step}__"
    by_order: dict[int, list[int]] = {}
    for order, lag in feasible_pairs(orders, lags, n_channels, n_times):
        by_order.setdefault(order, []).append(lag)
    return [
        {f"{prefix}order": [order], f"{prefix}lag": some, **(params or {})}
        for order, some in by_order.items()
    ]


def feasible_pairs(orders, lags, n_channels, n_times) -> list[tuple[int, int]]:
    """Return the pairs (order, lag) of `augmentation_grid`, in the order given."""
    orders, lags = _integers(orders, "orders"), _integers(lags, "lags")
    n_channels = check_integer(n_channels, "n_channels")
    n_times = check_integer(n_times, "n_times")
    pairs = [
        (order, lag)
        for order in orders
        for lag in (lags if order > 1 else lags[:1])
        if n_times - (order - 1) * lag >= 2 * order * n_channels
    ]
    if not pairs:
        raise ValueError(
            f"No pair of orders={orders} and lags={lags} leaves 2 * order * n_channels "
            f"samples of trials with n_channels={n_channels} and n_times={n_times}. "
            f"Lower the orders or lags, use longer trials or fewer channels."
        )
    return pairs


def _integers(values, name):
    if not isinstance(values, Iterable):
        values = [values]
    checked = [check_integer(value, f"each of {name}") for value in values]
    if not checked:
        raise ValueError(f"{name} must hold at least one integer, got {values!r}.")
    return list(dict.fromkeys(checked))
