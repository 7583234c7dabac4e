"""Electromyograms of hand gestures: the shipped windows, and how they are cut."""

import numpy as np
from sklearn.utils import Bunch

from geolearn.datasets._files import read_arrays, read_description

N_CHANNELS = 8
GESTURES = ("ok", "paper", "rest", "rock", "scissors")
WINDOW = 300  # samples a trial
_SKIPPED = 100  # samples dropped where a gesture begins
_LEFT = 50  # samples that have to remain behind the last window of a run
_ZERO = 128  # reading of the 8-bit converter without signal
_RATE = 242.0  # samples a second: one over the mean gap within a run, 4.13 ms


def load_emg_gestures(
    *,
    subject: str | None = "mg",
    session: str | None = None,
    table=None,
    return_X_y: bool = False,
):
    """Load windows of forearm muscle activity during five hand gestures [1]_.

    Eight electrodes around the forearm recorded the gestures rest, rock, paper,
    scissors and ok, each held for 25 seconds, six times in a session. Every
    subject has two sessions, whose signals differ so much that a classifier of
    one does badly on the other unless the sessions are re-centred.

    =================   ================================================
    Classes             5, of 114 trials each in a session
    Trials              1140 of the shipped subject "mg": 570 a session
    Channels            8
    Samples a trial     300 (about 1.2 s)
    =================   ================================================

    Parameters
    ----------
    subject : {"mg", "rr"} or None, default="mg"
        Subject to load; None loads both. Only "mg" ships with the package, the
        others need `table`.
    session : {"mg_s1", "mg_s2", "rr_s1", "rr_s2"} or None, default=None
        The one session of `subject` to load; None loads both.
    table : str or path-like or None, default=None
        File ``emg.csv`` of geomstats, with the recordings of both subjects. The
        windows are cut from it in the same way as the shipped ones. Reading
        its 35 MB takes some seconds.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like, with the fields

        data : ndarray of shape (n_trials, 8, 300)
            Trials, float64; whole numbers in [-128, 127], the readings of an
            8-bit converter.
        target : ndarray of shape (n_trials,)
            Gesture of each trial, an index into `target_names`.
        target_names : ndarray of shape (5,)
            Names of the gestures, in alphabetical order.
        feature_names : list of str
            Names of the channels, "c0" to "c7".
        session : ndarray of shape (n_trials,)
            Session of each trial, such as "mg_s1": the domains for
            `sample_domain` of :class:`geolearn.covariance.SPDAligner`.
        subject : ndarray of shape (n_trials,)
            Subject of each trial.
        run : ndarray of shape (n_trials,)
            Number of the run that the trial was cut from. Trials of a run are
            seconds apart: keep them together in a cross-validation within a
            session (`groups` of :class:`~sklearn.model_selection.GroupKFold`).
        sampling_rate : float
            Mean number of samples a second. The samples are not equidistant:
            most follow each other after 3 to 5 ms.
        DESCR : str
            Description with origin, licence and citation.
    X, y : tuple of ndarray
        Only `data` and `target`, if `return_X_y` is True.

    Raises
    ------
    ValueError
        If `subject` or `session` is none of its choices, if they contradict
        each other, or if `table` is needed and missing or not the expected
        table.

    See Also
    --------
    load_basic_motions : Accelerometer and gyroscope during four activities.
    make_autoregressive_trials : Classes that differ in their delays only.

    Notes
    -----
    A run is a stretch of samples of one gesture. Its first 100 samples, where
    the hand still moves, are dropped; then windows of 300 samples are cut, one
    after the other, as long as 50 samples remain behind the window. The value
    128 of the resting converter is subtracted. This gives 2284 trials of both
    subjects.

    References
    ----------
    .. [1] N. Miolane, N. Guigui, A. Le Brigant, J. Mathe, B. Hou,
       Y. Thanwerdas, S. Heyder, O. Peltre, N. Koep, H. Zaatiti, H. Hajri,
       Y. Cabanes, T. Gerald, P. Chauchat, C. Shewmake, D. Brooks, B. Kainz,
       C. Donnat, S. Holmes, X. Pennec, "Geomstats: a Python package for
       Riemannian geometry in machine learning", Journal of Machine Learning
       Research 21, 2020, arXiv:2004.04667.

    Examples
    --------
    >>> from geolearn.datasets import load_emg_gestures
    >>> emg = load_emg_gestures()
    >>> emg.data.shape
    (1140, 8, 300)
    >>> emg.session[0].item(), emg.session[-1].item()
    ('mg_s1', 'mg_s2')
    >>> X, y = load_emg_gestures(session="mg_s1", return_X_y=True)
    >>> X.shape
    (570, 8, 300)
    """
    wanted = _wanted_sessions(subject, session)
    if table is not None:
        windows = cut_windows(*read_table(table))
    elif subject == "mg":
        arrays = read_arrays("emg_gestures")
        arrays["data"] = arrays["data"].transpose(1, 0, 2)
        windows = arrays
    else:
        raise ValueError(
            f"subject={subject!r} does not ship with geolearn; pass "
            "table='.../emg.csv', the file of geomstats, or subject='mg'."
        )
    kept = np.isin(windows["session"], wanted)
    data = windows["data"][kept].astype(np.float64, order="C")
    target = windows["target"][kept].astype(np.intp)
    if return_X_y:
        return data, target
    names = windows["session"][kept]
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(GESTURES),
        feature_names=[f"c{i}" for i in range(N_CHANNELS)],
        session=names,
        subject=names.astype("U2"),
        run=windows["run"][kept].astype(np.intp),
        sampling_rate=_RATE,
        DESCR=read_description("emg_gestures"),
    )


def _wanted_sessions(subject, session):
    """Return the names of the sessions to keep."""
    if subject not in ("mg", "rr", None):
        raise ValueError(f"subject={subject!r} must be 'mg', 'rr' or None.")
    subjects = ("mg", "rr") if subject is None else (subject,)
    known = [f"{name}_s{number}" for name in subjects for number in (1, 2)]
    if session is None:
        return known
    if session not in known:
        raise ValueError(
            f"session={session!r} must be one of {known} or None for "
            f"subject={subject!r}."
        )
    return [session]


def read_table(source):
    """Read `emg.csv` of geomstats from a path or an open text file.

    Parameters
    ----------
    source : str, path-like or file
        The table, with the columns time, c0 ... c7, label, exp.

    Returns
    -------
    readings : ndarray of shape (n_samples, 8)
        Readings of the converter, int16.
    labels : ndarray of shape (n_samples,)
        Gesture of each sample.
    sessions : ndarray of shape (n_samples,)
        Session of each sample.
    """
    channels = [(f"c{i}", np.int16) for i in range(N_CHANNELS)]
    columns = [("time", np.int64), *channels, ("label", "U8"), ("exp", "U5")]
    try:
        rows = np.loadtxt(source, dtype=columns, delimiter=",", skiprows=1)
    except ValueError as error:
        raise ValueError(
            f"table={source!r} is not emg.csv of geomstats, whose columns are "
            f"{[name for name, _ in columns]}: {error}"
        ) from error
    readings = np.column_stack([rows[name] for name, _ in channels])
    return readings, rows["label"], rows["exp"]


def cut_windows(readings, labels, sessions):
    """Cut the recordings into trials, see Notes of `load_emg_gestures`.

    Parameters
    ----------
    readings : ndarray of shape (n_samples, 8)
        Readings of the converter.
    labels : ndarray of shape (n_samples,)
        Gesture of each sample.
    sessions : ndarray of shape (n_samples,)
        Session of each sample.

    Returns
    -------
    windows : dict
        "data" (n_trials, 8, 300) int8, "target", "session" and "run", each
        (n_trials,).
    """
    changes = (labels[1:] != labels[:-1]) | (sessions[1:] != sessions[:-1])
    edges = np.concatenate(([0], np.flatnonzero(changes) + 1, [labels.size]))
    runs, starts = [], []
    for run in range(edges.size - 1):
        last = edges[run + 1] - WINDOW - _LEFT
        cut = np.arange(edges[run] + _SKIPPED, last + 1, WINDOW)
        starts.append(cut)
        runs.append(np.full(cut.size, run))
    starts = np.concatenate(starts)
    samples = starts[:, np.newaxis] + np.arange(WINDOW)
    centred = readings.astype(np.int16) - _ZERO
    return {
        "data": centred[samples].transpose(0, 2, 1).astype(np.int8),
        "target": np.searchsorted(GESTURES, labels[starts]).astype(np.int8),
        "session": sessions[starts],
        "run": np.concatenate(runs).astype(np.int16),
    }
