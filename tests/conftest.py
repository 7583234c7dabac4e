"""Settings that every test needs before the libraries are imported."""

import os

# Without it scikit-learn skips its array API check.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import pytest
from hypothesis import settings

# Compilation breaks deadlines; a fixed seed makes a failure repeatable.
settings.register_profile("geolearn", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("geolearn")


@pytest.fixture
def fresh_python():
    """Run code in a fresh interpreter and return what it prints."""
    import subprocess
    import sys

    def run(code, *, timeout=300, **environment):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **environment},
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}"
        return done.stdout.strip()

    return run
