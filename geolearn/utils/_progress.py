"""Progress of long computations through the module loggers."""

import logging
import sys
import time

_ROOT = logging.getLogger("geolearn")


class _Fallback(logging.Handler):
    """Write to stderr for a user who configured no logging at all.

    A library leaves logging to the application, but ``verbose=1`` must show
    something. Once the application adds a handler, this one is silent.
    """

    def emit(self, record):
        others = [h for h in _ROOT.handlers if h is not self]
        if not others and not logging.getLogger().handlers:
            sys.stderr.write(self.format(record) + "\n")


def _ensure_visible() -> None:
    if not _ROOT.hasHandlers():
        handler = _Fallback()
        handler.setFormatter(logging.Formatter("[%(name)s] %(message)s"))
        _ROOT.addHandler(handler)
        if _ROOT.level == logging.NOTSET:
            _ROOT.setLevel(logging.INFO)


class Progress:
    """Report the steps of one computation; silent at ``verbose=0``.

    Parameters
    ----------
    verbose : int or bool
        0 is silent, 1 reports outer steps, 2 adds inner iterations.
    name : str
        Name of the logger, ``__name__`` of the calling module.
    """

    def __init__(self, verbose, name):
        self.verbose = int(verbose)
        self._logger = logging.getLogger(name)
        self._start = time.perf_counter()
        if self.verbose > 0:
            _ensure_visible()

    def __call__(self, message: str, *args, level: int = 1) -> None:
        """Log `message` (%-formatted with `args`) with the elapsed seconds."""
        if self.verbose >= level:
            elapsed = time.perf_counter() - self._start
            self._logger.info("%7.2f s  " + message, elapsed, *args)
