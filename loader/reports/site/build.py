"""Docs: the documentation as one site, with dbt's page of the warehouse and Great Expectations' pages of its gates."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from loader import console
from loader.build.dbt import write_dbt_docs
from loader.errors import UsageError
from loader.project import Project
from loader.reports.site.data_docs import write_data_docs
from loader.reports.site.freshness import write_freshness
from loader.text import first_lines


def make_docs(project: Project) -> Path:
    """Make the site in target/docs, from docs/ and from the warehouse as it is; returns its first page.

    Raises:
        UsageError: the packages for it are not installed, docs/ is missing or has mistakes, or a suite is not readable.
        EnvironmentFailedError: the warehouse is out of reach, or dbt could not work at all.
    """
    source, site = project.root / "docs", project.root / "target" / "docs"
    if not (source / "conf.py").is_file():
        raise UsageError(f"{project.shown(source)} has no conf.py: the documentation is made in a clone of Almanac")
    if importlib.util.find_spec("sphinx") is None:
        raise UsageError(
            "the documentation needs more packages: pip install --require-hashes -r requirements/docs.lock"
        )
    write_dbt_docs(project, site / "dbt" / "index.html")
    missing = write_data_docs(project, site / "gx")
    if missing:
        console.note(f"{', '.join(missing)}: not built yet; run `loader run`, then `loader docs` again")
    write_freshness(project, site.parent / "freshness.html")
    _write_pages(source, site)
    return site / "index.html"


def _write_pages(source: Path, site: Path) -> None:
    """Sphinx, in a process of its own: what it loads and sets would stay."""
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--doctree-dir", str(site.parent / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(site)]
    utf8 = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(  # noqa: S603
        command, env=utf8, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        messages = first_lines(done.stderr, 3) or [f"Sphinx ended with {done.returncode}"]
        raise UsageError(f"docs/ has mistakes: {'; '.join(messages)}")
