"""Sphinx: `make docs` puts the site into target/docs; `sphinx-build docs FOLDER` makes the pages alone."""

import tomllib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

REPOSITORY = Path(__file__).parents[1]
PACKAGE = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Almanac"
version = release = PACKAGE["version"]
language = "en"
root_doc = "index"
exclude_patterns = ["README.md"]  # what a repository browser shows of the folder; index.md includes it

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
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


STAND_IN = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style></head>
<body><h1>{title}</h1>
<p>This page shows a warehouse, and is made from one: run <code>make run</code> to fill it and <code>make docs</code>
to make the page (<code>loader run</code>, <code>loader docs</code> without make).</p>
<p><a href="../index.html">Back to the documentation</a></p></body>
</html>
"""
PAGES_OF_A_WAREHOUSE = {"dbt": "Tables and lineage (dbt docs)", "gx": "Gates (Great Expectations)"}


def stand_in(app: Sphinx, exception: Exception | None) -> None:
    """Write pages that say how to make those of a warehouse (dbt docs, Data Docs), where there are none."""
    for folder, title in PAGES_OF_A_WAREHOUSE.items() if exception is None else ():
        page = Path(app.outdir) / folder / "index.html"
        if not page.exists():
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(STAND_IN.format(title=title), encoding="utf-8")


def first_page(*_: object) -> list[str]:
    """Write the first page each time: what it says of a warehouse changes without it."""
    return [root_doc]


def add_freshness(app: Sphinx, page: str, _: str, context: dict[str, Any], *__: object) -> None:
    """Put what `loader docs` wrote of the warehouse's periods below the text of the first page."""
    part = Path(app.outdir).parent / "freshness.html"
    if page == root_doc and part.exists():
        context["body"] += part.read_text(encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("env-get-outdated", first_page)
    app.connect("html-page-context", add_freshness)
    app.connect("build-finished", stand_in)
