"""Accelerometer and gyroscope of a wrist during four activities."""

import numpy as np
from sklearn.utils import Bunch

from geolearn.datasets._files import read_arrays, read_description

_UNIT = 1e6  # the archive has six decimals: the file holds them as whole numbers
_SUBSETS = {"train": slice(0, 40), "test": slice(40, 80), "all": slice(0, 80)}


def load_basic_motions(*, subset: str = "all", return_X_y: bool = False):
    """Load the BasicMotions trials: a smart watch during four activities [1]_.

    Each trial is ten seconds of a three-axis accelerometer and a three-axis
    gyroscope, sampled ten times a second, while the wearer stands, walks, runs
    or plays badminton. Four students recorded every activity five times.

    =================   =====================
    Classes             4, of 20 trials each
    Trials              80 (40 train, 40 test)
    Channels            6
    Samples a trial     100
    =================   =====================

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        Half of the archive's split to load, or both: then the first 40 trials
        are those of "train".
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like, with the fields

        data : ndarray of shape (n_trials, 6, 100)
            Trials, float64, in the units of the archive, which it does not
            name.
        target : ndarray of shape (n_trials,)
            Class of each trial, an index into `target_names`.
        target_names : ndarray of shape (4,)
            Names of the classes, in alphabetical order.
        feature_names : list of str
            Names of the channels: the axes of the two sensors, in the order in
            which the archive lists the sensors.
        subset : ndarray of shape (n_trials,)
            "train" or "test", the half that each trial belongs to.
        sampling_rate : float
            Samples a second, 10.0.
        DESCR : str
            Description with origin, licence and citation.
    X, y : tuple of ndarray
        Only `data` and `target`, if `return_X_y` is True.

    Raises
    ------
    ValueError
        If `subset` is none of its choices.

    See Also
    --------
    load_emg_gestures : Muscle activity of hand gestures, in two sessions.
    make_autoregressive_trials : Classes that differ in their delays only.

    Notes
    -----
    The trials are those of the UEA archive [1]_, unchanged. Some of them have
    channels that are nearly constant, and 100 samples are few for augmented
    covariances of high order: use ``estimator="oas"`` or ``"lwf"``.

    References
    ----------
    .. [1] A. Bagnall, H. A. Dau, J. Lines, M. Flynn, J. Large, A. Bostrom,
       P. Southam, E. Keogh, "The UEA multivariate time series classification
       archive, 2018", 2018, arXiv:1811.00075.

    Examples
    --------
    >>> from geolearn.datasets import load_basic_motions
    >>> motions = load_basic_motions()
    >>> motions.data.shape
    (80, 6, 100)
    >>> list(map(str, motions.target_names))
    ['Badminton', 'Running', 'Standing', 'Walking']
    >>> X, y = load_basic_motions(subset="train", return_X_y=True)
    >>> X.shape, y.shape
    ((40, 6, 100), (40,))
    """
    if subset not in _SUBSETS:
        raise ValueError(f"subset={subset!r} must be one of {sorted(_SUBSETS)}.")
    arrays = read_arrays("basic_motions")
    part = _SUBSETS[subset]
    # Division of whole numbers gives the nearest float64 of the decimal text.
    data = arrays["data"][part] / _UNIT
    target = arrays["target"][part].astype(np.intp)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=arrays["target_names"],
        feature_names=[f"{s}_{a}" for s in ("acceleration", "rotation") for a in "xyz"],
        subset=np.repeat(["train", "test"], 40)[part],
        sampling_rate=10.0,
        DESCR=read_description("basic_motions"),
    )
