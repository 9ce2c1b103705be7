"""Data Docs: what each check of the gates asks and whether it holds, rendered by Great Expectations, to be published.

Its pages load styles, fonts and scripts from seven other hosts, and their first page is empty without them. What is
kept of them is the report itself, in a page of ours that needs no other file.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from loader.gates import publishable_results
from loader.project import Project
from loader.warehouse.layers import LAYERS
from loader.warehouse.meta import now

_REPORT = re.compile(r'<div class="col-md-10.*?>(.*)</div>\s*</div>\s*</div>.*?</body>', re.DOTALL)
"""The right column of a page of Great Expectations; the left one is a menu that needs scripts."""
_LINK_TO_SUITE = re.compile(r'<a href="[./]*expectations/[^"]*"\s*>(.*?)</a>', re.DOTALL)


def write_data_docs(project: Project, folder: Path) -> list[str]:
    """Ask all suites of all layers and write a page for each table; returns the tables that are not built yet.

    Raises:
        UsageError: a layer has no suite, or a suite is not readable.
        EnvironmentFailedError: the warehouse is out of reach or locked.
    """
    engine = project.warehouse.engine
    results = project.warehouse.when_free(
        lambda: {layer: publishable_results(layer, engine, project.root) for layer in LAYERS}
    )
    shutil.rmtree(folder, ignore_errors=True)
    pages = Environment(
        loader=PackageLoader("loader.reports.site", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = pages.get_template("data_docs.html")
    when = f"{now():%Y-%m-%d %H:%M} UTC"
    for layer, tables in results.items():
        for table, result in tables.items():
            if result is not None:
                html = page.render(up="../", when=when, title=f"{layer}.{table}", report=_report(result))
                _write(folder / layer / f"{table}.html", html)
    _write(folder / "index.html", page.render(up="", when=when, title="The gates", results=results))
    return [f"{layer}.{table}" for layer in LAYERS for table, result in results[layer].items() if result is None]


def _report(result: Any) -> Markup:
    """The report of Great Expectations on one table, without what needs its scripts."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    view: Any = DefaultJinjaPageView()
    page = view.render(ValidationResultsPageRenderer().render(result), show_how_to_buttons=False)
    found = _REPORT.search(page)
    return Markup(_LINK_TO_SUITE.sub(r"\1", found[1] if found else ""))  # noqa: S704 - it has escaped what it was given


def _write(path: Path, page: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
