"""Sphinx: `make docs` puts the site into target/docs; `sphinx-build docs FOLDER` makes the pages alone."""

import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "docs" / "_ext")]
PACKAGE = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Almanac"
version = release = PACKAGE["version"]
language = "en"
root_doc = "index"
exclude_patterns = ["_ext"]

extensions = ["myst_parser", "sphinx_click", "reference"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
nitpicky = True
smartquotes = False

html_theme = "furo"
html_title = "Almanac"
html_static_path = ["_static"]
html_css_files = ["almanac.css"]
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/warehouse.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c77", "color-brand-content": "#0b5c77"},
    "dark_css_variables": {"color-brand-primary": "#6cc4de", "color-brand-content": "#6cc4de"},
}
