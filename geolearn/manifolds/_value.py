"""Value objects: defined by their constructor parameters, and never changed."""

import inspect
from typing import Any

import numpy as np


def _comparable(value: Any) -> Any:
    """Return a hashable stand-in that is equal exactly when the value is."""
    if isinstance(value, np.ndarray):
        return ("ndarray", value.shape, value.dtype.str, value.tobytes())
    if isinstance(value, list | tuple):
        return tuple(_comparable(item) for item in value)
    return value


class ValueObject:
    """Compare, hash and print an object by its constructor parameters.

    As in scikit-learn, every argument of ``__init__`` is stored under its own
    name. Attributes can be assigned once, in the constructor.
    """

    @classmethod
    def _parameters(cls) -> dict[str, inspect.Parameter]:
        signature = inspect.signature(cls.__init__)
        return {
            name: parameter
            for name, parameter in list(signature.parameters.items())[1:]
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor parameters.

        Parameters
        ----------
        deep : bool, default=True
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        dict
            Parameter names and values.
        """
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> "ValueObject":
        """Accept the present parameters and refuse to change any.

        It lets ``estimator.set_params(**estimator.get_params())`` pass. To try
        several values in a grid search, list objects: ``{"manifold": [Sphere(2),
        Sphere(2, radius=2.0)]}``.

        Parameters
        ----------
        **params : dict
            Parameter names and values, equal to those of `get_params`.

        Returns
        -------
        object
            The object itself.

        Raises
        ------
        TypeError
            If a value differs from the present one.
        """
        present = self.get_params()
        for name, value in params.items():
            if name not in present or _comparable(value) != _comparable(present[name]):
                raise TypeError(
                    f"{self!r} is immutable: cannot set {name}={value!r}. Replace "
                    f"the whole object, e.g. set_params(manifold="
                    f"{type(self).__name__}(...))."
                )
        return self

    def __sklearn_clone__(self) -> "ValueObject":
        return self  # immutable, so sharing is safe

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            raise AttributeError(
                f"{self!r} is immutable: cannot change {name!r}; create a new "
                f"{type(self).__name__}."
            )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self!r} is immutable: cannot delete {name!r}.")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _comparable(list(self.get_params().values())) == _comparable(
            list(other.get_params().values())
        )

    def __hash__(self) -> int:
        return hash((type(self), _comparable(list(self.get_params().values()))))

    def __repr__(self) -> str:
        parts = []
        for name, parameter in self._parameters().items():
            value = getattr(self, name)
            if parameter.default is parameter.empty:
                parts.append(repr(value))
            elif _comparable(value) != _comparable(parameter.default):
                parts.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"
