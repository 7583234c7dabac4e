import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    yield
    for number in plt.get_fignums():
        if number not in before:
            plt.close(number)
