"""Linear classifiers on curved spaces."""

from geolearn.linear_model._product_perceptron import ProductSpacePerceptron

__all__ = ["ProductSpacePerceptron"]
