"""The largest cities of the world, as points of the sphere."""

import numpy as np
from sklearn.utils import Bunch

from geolearn.datasets._files import read_arrays, read_description


def load_cities():
    """Load the fifty largest cities of the world, points of the unit sphere.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        Dictionary-like, with the fields

        data : ndarray of shape (50, 3)
            Unit vectors: longitude 0 on the x axis, 90 degrees east on the y axis,
            the north pole on the z axis.
        names : ndarray of shape (50,)
            Names of the cities, by decreasing population.
        countries : ndarray of shape (50,)
            Their countries.
        longitude : ndarray of shape (50,)
            Degrees, positive to the east.
        latitude : ndarray of shape (50,)
            Degrees, positive to the north.
        population : ndarray of shape (50,)
            Inhabitants of the urban areas, around 2007.
        DESCR : str
            Description with origin and licence.

    See Also
    --------
    geolearn.manifolds.Sphere : Distances and means of such points.
    geolearn.plotting.SphereDisplay : Draws them.

    Examples
    --------
    >>> from geolearn.datasets import load_cities
    >>> from geolearn.manifolds import Sphere
    >>> cities = load_cities()
    >>> list(map(str, cities.names[:3]))
    ['Tokyo', 'New York', 'Mexico City']
    >>> earth = Sphere(2, radius=6371.0)  # kilometres
    >>> tokyo, new_york = 6371.0 * cities.data[:2]
    >>> round(float(earth.dist(tokyo, new_york)))
    10852
    """
    arrays = read_arrays("cities")
    longitude, latitude = np.radians(arrays["angles"]).T
    flat = np.cos(latitude)
    data = np.column_stack(
        [flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)]
    )
    return Bunch(
        data=data,
        names=arrays["names"],
        countries=arrays["countries"],
        longitude=arrays["angles"][:, 0].copy(),
        latitude=arrays["angles"][:, 1].copy(),
        population=arrays["population"],
        DESCR=read_description("cities"),
    )
