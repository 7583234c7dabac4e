"""Settings of the documentation; it builds without a network."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import geolearn

ROOT = Path(__file__).resolve().parents[1]

project = "geolearn"
author = "the geolearn developers"
copyright = f"2026, {author}"
version = release = geolearn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/**/*.ipynb", "**/*.md5"]
default_role = "py:obj"
# Docstrings inherited from scikit-learn point to labels and terms of its own pages.
suppress_warnings = [
    "ref.ref",
    "ref.term",
    "config.cache",
    "sphinx_gallery.space_in_filename",  # of the checkout's path
]

# Links into the neighbours' documentation need a network while building.
if os.environ.get("GEOLEARN_DOCS_LINKS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

autosummary_generate = True
autosummary_ignore_module_all = False  # a page shows what `__all__` lists
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # numpydoc says it in words
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"quickstart\.py|__init__\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "min_reported_time": 5,
    "doc_module": ("geolearn",),
    "backreferences_dir": "api/generated/backreferences",
}

html_theme = "pydata_sphinx_theme"
html_title = "geolearn"
html_static_path = ["_static"]
html_css_files = ["geolearn.css"]
html_show_sphinx = False
html_show_sourcelink = False
html_sidebars = {"index": [], "install": [], "benchmarks": []}
html_theme_options = {
    "logo": {"text": "geolearn"},
    "navigation_with_keys": False,
    "show_prev_next": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
