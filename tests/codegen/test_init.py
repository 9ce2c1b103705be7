"""`loader init`: a project of a user's own, from an empty folder to a history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml

from tests.conftest import REPOSITORY, Project
from tests.support.deliveries import files_below, follow_contracts, write_csv
from tests.support.engines import Engine

EXAMPLES = re.compile(r"citizen|\baca\b|claim|member|provider|enrollment", re.IGNORECASE)
HEADER = ["Article no.", "name", "price", "Listed on", "pieces", "buyer"]


@pytest.fixture
def own(new_folder: Callable[..., Project]) -> Project:
    """A project as `loader init` makes it, on DuckDB, with the profile that comes with it."""
    project = new_folder()
    result = project.loader("init")
    assert result.exit_code == 0, result.output
    return project


def with_example(project: Project) -> None:
    """The contract and the snapshot that datasets_config.yml shows."""
    path = project.root / "datasets_config.yml"
    head, datasets, contract = path.read_text(encoding="utf-8").partition("datasets:\n")
    path.write_text(head + datasets + re.sub("^#", "", contract, flags=re.MULTILINE), encoding="utf-8")
    follow_contracts(project)
    snapshot = head[head.index("{% snapshot") : head.index("{% endsnapshot %}")] + "{% endsnapshot %}\n"
    sql = re.sub("^#  ", "", snapshot, flags=re.MULTILINE)
    (project.root / "dbt_project/snapshots/products.sql").write_text(sql, encoding="utf-8")


def test_a_new_project_is_without_examples(own: Project) -> None:
    names = files_below(own.root)
    assert {"datasets_config.yml", "dbt_project.yml", "profiles.yml.example", ".env.example", ".gitignore"} < set(names)
    assert {name for name in names if EXAMPLES.search(name)} == set()
    assert [path for path in names if path.startswith(("dbt_project/snapshots", "dbt_project/models/marts"))] == []
    assert "developing" not in (own.root / ".gitignore").read_text(encoding="utf-8")
    assert own.loader("derive", "--check").exit_code == 0


def test_the_settings_of_dbt_are_those_of_the_repository(own: Project) -> None:
    ours, theirs = (yaml.safe_load((root / "dbt_project.yml").read_text("utf-8")) for root in (REPOSITORY, own.root))
    assert theirs["vars"] == {**ours["vars"], "subjects": []}
    assert {**theirs, "vars": None} == {**ours, "vars": None}


def test_editors_find_the_schema_as_in_the_repository(own: Project) -> None:
    ours, theirs = (
        (root / "datasets_config.yml").read_text(encoding="utf-8").splitlines() for root in (REPOSITORY, own.root)
    )
    assert theirs[:3] == ours[:3]


@pytest.mark.parametrize("name", ["datasets_config.yml", "dbt_project.yml"])
def test_a_folder_that_has_a_project_is_refused(new_folder: Callable[..., Project], name: str) -> None:
    project = new_folder()
    (project.root / name).write_text("mine", encoding="utf-8")
    result = project.loader("init")
    assert result.exit_code == 2
    assert f"has a project already: {name} is there" in result.output
    assert files_below(project.root) == [name]


def test_a_file_that_is_there_stays_as_it_is(new_folder: Callable[..., Project]) -> None:
    project = new_folder()
    (project.root / ".gitignore").write_text("mine", encoding="utf-8")
    result = project.loader("init")
    assert result.exit_code == 0
    assert "note: .gitignore was there and stays as it is" in result.output
    assert (project.root / ".gitignore").read_text(encoding="utf-8") == "mine"


def test_the_folder_may_be_named_and_need_not_exist(new_folder: Callable[..., Project]) -> None:
    project = new_folder()
    folder = project.root / "a" / "b"
    assert project.loader("init", folder).exit_code == 0
    assert (folder / "datasets_config.yml").is_file()
    assert not (project.root / "datasets_config.yml").exists()


def test_without_a_dataset_commands_say_what_is_missing(own: Project) -> None:
    missing = "no dataset has a contract yet; write one into datasets_config.yml"
    status, load, build = (own.loader(command) for command in ("status", "load", "build"))
    assert (status.exit_code, load.exit_code, build.exit_code) == (0, 2, 0), build.output
    assert missing in status.output
    assert missing in load.output
    assert "no gate: gx/expectations/stage has no suite" in build.output
    assert own.loader("status", "--json").json == []


def test_a_proposed_contract_goes_to_the_end_of_the_file(own: Project) -> None:
    path = write_csv(own.root / "data/landing/stations_2025-01.csv", [["S1", "North"]], header=["station", "name"])
    config = own.root / "datasets_config.yml"
    config.write_text(config.read_text("utf-8") + own.loader("propose", path).stdout, encoding="utf-8")
    follow_contracts(own)
    assert "loaded     stations 2025-01  1 rows" in own.loader("load").output


@pytest.mark.slow
def test_a_proposal_is_appended_and_its_history_builds(own: Project) -> None:
    config = own.root / "datasets_config.yml"
    before = config.read_text("utf-8")
    for month, docks in (("01", "24"), ("02", "20")):
        rows = [["S1", "Anna", docks, "03.04.2019"], ["S2", "Ben", "7", "13.04.2019"]]
        path = write_csv(
            own.landing / f"stations_2025-{month}.csv", rows, header=["No.", "First name", "Docks", "Opened"]
        )
    again = [own.landing / "stations_2025-01.csv", path]
    result = own.loader("propose", "--append", *again)
    assert result.exit_code == 0, result.output
    assert "appended: stations, at the end of datasets_config.yml" in result.stdout
    assert "written: gx/expectations/core/stations.json" in result.stdout
    assert config.read_text("utf-8").startswith(before)
    result = own.loader("derive", "--snapshot", "stations")
    assert "note: stations has a snapshot already; it stays as it is" in result.output

    assert own.loader("propose", "--append", *again).exit_code == 2
    result = own.loader("propose", "--append", "--dataset", "places", *again)
    assert "by its name, stations_2025-01.csv is a file of 'stations'" in result.output

    sales = [
        write_csv(own.landing / f"sales_2025-{month}.csv", [[f"R{month}", "5"]], header=["Receipt", "Euros"])
        for month in ("01", "02", "03")
    ]
    assert own.loader("propose", "--append", *sales).exit_code == 0

    as_proposed = config.read_text("utf-8")
    config.write_text(as_proposed.replace("end_marker: none", "end_marker: {column: euros, value: '0'}"), "utf-8")
    for command, said in (
        ("build", "_sales__sources.yml: not what follows from datasets_config.yml; run `loader derive`"),
        ("derive --check", "stale: dbt_project/models/staging/_sales__sources.yml"),
    ):
        stale = own.loader(*command.split())
        assert (stale.exit_code, said in stale.output) == (2, True), stale.output
    config.write_text(as_proposed, "utf-8")
    result = own.loader("run")
    assert result.exit_code == 0, result.output
    assert [str(row[0]) for row in own.sql("select receipt from core.sales where dbt_valid_to is null order by 1")] == [
        "R01",
        "R02",
        "R03",
    ]
    assert re.search(r"^built +core +2 snapshots, \d+ tests; gate: \d+ checks passed", result.output, re.MULTILINE)
    versions = "select no, docks, cast(dbt_valid_to as date) from core.stations order by no, dbt_valid_from"
    assert [tuple(map(str, row)) for row in own.sql(versions)] == [
        ("S1", "24", "2025-02-01"),
        ("S1", "20", "None"),
        ("S2", "7", "None"),
    ]
    manifest = json.loads((own.root / "target/manifest.json").read_text("utf-8"))
    columns = manifest["nodes"]["snapshot.almanac.stations"]["columns"]
    assert columns["first_name"]["description"] == "First name (personal)."


@pytest.mark.slow
def test_the_example_from_its_contract_to_its_history(new_folder: Callable[..., Project], engine: Engine) -> None:
    project = new_folder(engine)
    assert project.loader("init").exit_code == 0
    project.write_profile()
    with_example(project)
    for period, price in (("2025-01", "2.50"), ("2025-02", "2.80")):
        rows = [["t1 ", "Tea", price, "01.12.2024", "7", "Anna"], ["C1", "Coffee", "4.00", "01.12.2024", price[2], ""]]
        write_csv(project.landing / f"products_{period}.csv", rows, header=HEADER, delimiter=";")

    loaded = project.loader("load")
    assert loaded.exit_code == 0, loaded.output
    assert "2 loaded, 0 refused, 0 unchanged; 4 rows in" in loaded.output

    built = project.loader("build")
    assert built.exit_code == 0, built.output
    stage, core, mart = re.findall(r"^built +\w+ +(.*)  [\d.]+ s$", built.output, re.MULTILINE)
    assert re.fullmatch(r"gate: [1-9]\d* checks passed", stage)
    assert re.fullmatch(r"1 snapshot, \d+ tests; no gate: gx/expectations/core has no suite", core)
    assert mart == "nothing to build; no gate: gx/expectations/mart has no suite"
    versions = "select sku, price, cast(dbt_valid_from as date), cast(dbt_valid_to as date) from core.products"
    assert [tuple(map(str, row)) for row in project.sql(f"{versions} order by sku, dbt_valid_from")] == [
        ("C1", "4.00", "2025-01-01", "None"),
        ("T1", "2.50", "2025-01-01", "2025-02-01"),
        ("T1", "2.80", "2025-02-01", "None"),
    ]
