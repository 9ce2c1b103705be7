"""The documentation: it builds without a warning, its links lead somewhere, and it shows nothing of the data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
import yaml

from loader.codegen.contract_schema import contract_schema
from loader.settings import Settings
from loader.validation.rules import Kind
from loader.warehouse.meta import metadata
from tests.conftest import REPOSITORY, Project

LINK = re.compile(r"\]\(([^)\s]+)\)")
SOURCES = ("docs", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")


class Page(HTMLParser):
    """Links, anchors and loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attributes if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif tag == "link" and given.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads |= {given["href"]} if "href" in given else set()
        elif "src" in given:
            self.loads.add(given["src"])


def pages_of(site: Path) -> dict[Path, Page]:
    # dbt's page makes itself by a script
    return {path: Page(path) for path in site.rglob("*.html") if path != site / "dbt" / "index.html"}


def broken_links(site: Path) -> list[str]:
    pages = pages_of(site)
    broken = []
    for path, page in pages.items():
        for link in page.links | page.loads:
            url = urlsplit(link)
            target = path if not url.path else (path.parent / unquote(url.path)).resolve()
            if url.scheme or link in ("#", "#top"):
                continue
            if not target.is_file() or (url.fragment and target in pages and url.fragment not in pages[target].anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    return sorted(broken)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages alone, as on a machine without a warehouse; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "doctrees"), "docs"]
    done = subprocess.run(
        [*command, str(folder / "site")], cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_links_lead_somewhere_and_nothing_comes_from_the_network(site: Path) -> None:
    assert broken_links(site) == []
    loaded = {link for page in pages_of(site).values() for link in page.loads}
    assert [link for link in loaded if urlsplit(link).netloc] == []


def test_links_of_the_repository_lead_somewhere() -> None:
    """As a repository browser shows the Markdown."""
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    links = {(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))}
    files = [(page, link) for page, link in links if not urlsplit(link).scheme and urlsplit(link).path]
    assert len(files) > 30
    assert [link for page, link in files if not (page.parent / urlsplit(link).path).exists()] == []


def test_the_map_of_the_code_has_every_module() -> None:
    page = (REPOSITORY / "docs" / "understand" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (REPOSITORY / "loader").iterdir() if path.suffix == ".py" or path.is_dir()}
    named = set(re.findall(r"`(\w+)/?`", page))
    assert sorted(name for name in modules if not name.startswith("_") and name not in named) == []


def test_pages_of_a_warehouse_say_how_to_make_them(site: Path) -> None:
    for folder in ("dbt", "gx"):
        assert "make docs" in (site / folder / "index.html").read_text(encoding="utf-8")
        assert f"{folder}/index.html" in Page(site / "index.html").links


def test_pages_are_plain_markdown() -> None:
    """A repository browser shows a directive of Sphinx as it stands; three pages are for the site alone."""
    docs = REPOSITORY / "docs"
    pages = set(docs.rglob("*.md")) - {
        docs / name for name in ("index.md", "project/changelog.md", "project/contributing.md")
    }
    directive = re.compile(r"^ *(```|:::)\{", re.MULTILINE)
    assert len(pages) > 15
    assert [page for page in pages if directive.search(page.read_text(encoding="utf-8"))] == []


def test_the_parts_that_are_derived_from_the_code_are_not_stale() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run: python scripts/reference.py"


def test_a_page_with_derived_parts_says_so_in_its_first_line() -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs").rglob("*.md")}
    derived = {path: text for path, text in pages.items() if "<!-- derived: " in text}
    assert len(derived) >= 4
    assert [path for path, text in derived.items() if "scripts/reference.py" not in text.splitlines()[0]] == []


def test_every_word_of_a_contract_is_explained_by_an_example() -> None:
    schema = json.loads(contract_schema())
    page = (REPOSITORY / "docs" / "reference" / "contract.md").read_text(encoding="utf-8")
    explained = {heading.rpartition(".")[2] for heading in re.findall(r"^#### `(\S+)`", page, re.MULTILINE)}
    for name, model in schema["$defs"].items():
        for word, described in model.get("properties", {}).items():
            assert described["description"], f"{name}.{word}"
            assert word in explained, f"{name}.{word}"
            for example in described.get("examples", []):
                jsonschema.validate(example, {"$defs": schema["$defs"], **described})
            plain = described.get("type") in ("string", "integer", "number") or "enum" in described
            assert "examples" in described or not plain, f"{name}.{word} has no example"


def test_every_rule_that_rejects_is_explained() -> None:
    (page,) = (REPOSITORY / "docs").rglob("contract.md")
    named = set(re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")))
    forms = {kind: re.escape(kind.value).replace(r"\{\}", r"<\w+>") for kind in Kind if kind is not Kind.ROW_RULE}
    assert [kind for kind, form in forms.items() if not any(re.fullmatch(form, name) for name in named)] == []


def test_every_setting_and_column_is_explained(site: Path) -> None:
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"#ALMANAC_{name.upper()}=" in example
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    assert [str(column) for column in columns if not column.doc] == []
    assert [table.name for table in metadata.sorted_tables if not table.comment] == []


def test_dbt_says_the_same_of_a_version_as_the_loader() -> None:
    path = REPOSITORY / "dbt_project" / "models" / "staging" / "_meta__sources.yml"
    sources = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    descriptions = {
        (table["name"], column["name"]): column["description"]
        for source in sources
        if source["name"] == "meta"
        for table in source["tables"]
        for column in table["columns"]
    }
    assert descriptions
    tables = {table.name: table for table in metadata.sorted_tables}
    assert descriptions == {(table, column): tables[table].columns[column].doc for table, column in descriptions}


PERSONAL = "select distinct cast({} as varchar) from stage.citizens where {} is not null"
BROKEN = "update mart.dim_citizen set valid_to = valid_from where citizen_key <> -1"
SUITE = {
    "name": "core.citizens",
    "expectations": [
        {
            "type": "unexpected_rows_expectation",
            "description": "an address for post is a number",
            "kwargs": {"unexpected_rows_query": "select citizen_id from {batch} where cast(email as integer) > 0"},
        }
    ],
}


@pytest.mark.slow
def test_docs_of_a_warehouse_before_and_after_it_is_built(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    for name in SOURCES:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project.root / name)
    site = project.root / "target" / "docs"

    result = project.loader("docs")
    assert result.exit_code == 0, result.output
    assert "core.citizens" in result.output
    assert "not built yet; run `loader run`" in result.output
    assert "core.citizens</td><td colspan" in (site / "gx" / "index.html").read_text(encoding="utf-8")
    assert broken_links(site) == []
    assert "<td>Registered citizens</td><td>0</td><td>-</td>" in (site / "index.html").read_text(encoding="utf-8")

    assert project.loader("sample-data", "--rows", 100, "--periods", 2).exit_code == 0
    assert project.loader("run").exit_code == 0
    project.sql(BROKEN)
    (project.root / "gx/expectations/core/citizens/citizens.json").write_text(json.dumps(SUITE), encoding="utf-8")
    shutil.copy(project.landing / "citizens_2025-01.xlsx", project.landing / "citizens_2025-02_v2.xlsx")
    assert project.loader("load", "--force", "--dataset", "citizens", "--period", "2025-02").exit_code == 0
    (project.landing / "citizens_2025-03.xlsx").write_bytes(b"no workbook")
    assert project.loader("load", "--dataset", "citizens").exit_code == 1
    result = project.loader("docs")
    assert (result.exit_code, result.output.splitlines()) == (0, ["open target/docs/index.html"])

    first = (site / "index.html").read_text(encoding="utf-8")
    lines = [re.sub(r"\s*<[^>]+>\s*", "|", line) for line in re.findall(r"<tr>.*?</tr>", first, re.DOTALL)]
    told = [re.sub(r"\|+", "|", line).strip("|").split("|") for line in lines]
    assert [line[:3] + line[4:] for line in told if line[0] == "Registered citizens"] == [
        ["Registered citizens", "2", "2025-02", "1", "1"]
    ]
    assert [line[:4] for line in told if "citizens_2025" in line[-2]] == [
        ["2025-03", "refused", "-", "citizens_2025-03.xlsx"],
        ["2025-02", "in", "2", "citizens_2025-02_v2.xlsx"],
        ["2025-01", "in", "1", "citizens_2025-01.xlsx"],
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", line[4]) for line in told if "citizens_2025" in line[-2])

    assert broken_links(site) == []
    gates = (site / "gx" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'mart/dim_date.html">mart.dim_date</a></td>\s*<td class="passed">', gates)
    assert re.search(r'mart/dim_citizen.html">mart.dim_citizen</a></td>\s*<td class="failed">', gates)
    dimension = (site / "gx" / "mart" / "dim_citizen.html").read_text(encoding="utf-8")
    assert "a version ends after it begins" in dimension
    assert "text-danger" in dimension
    history = (site / "gx" / "core" / "citizens.html").read_text(encoding="utf-8")
    assert "the check could not be made; `loader gate core` says why" in history
    catalog = (site / "dbt" / "index.html").read_text(encoding="utf-8")
    assert "Where to begin" in catalog
    assert '"moved_in_on"' in catalog
    assert "../gx/index.html" in catalog
    of_the_warehouse = [path for folder in ("dbt", "gx") for path in (site / folder).rglob("*.html")]
    of_the_warehouse.append(site / "index.html")
    published = [path.read_text(encoding="utf-8") for path in of_the_warehouse]
    for column in ("citizen_id", "email", "phone", "birth_date"):
        values = [row[0] for row in project.sql(PERSONAL.format(column, column))]
        assert values
        assert [value for value in values if any(value in page for page in published)] == []


def test_docs_say_what_is_missing(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    result = project.loader("docs")
    assert (result.exit_code, result.output) == (
        2,
        "usage: docs has no conf.py: the documentation is made in a clone of Almanac\n",
    )
