"""Changes of `datasets_config.yml`: the file afterwards is the file before with the change, or nothing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from loader.contracts import read_contracts
from loader.contracts.edit import append_dataset
from loader.errors import UsageError
from tests.support.deliveries import PEOPLE

OTHER = PEOPLE.replace("  people:", "# of the north\n  others:").replace("people_", "others_").lstrip("\n")


def config(folder: Path, text: str) -> Path:
    path = folder / "datasets_config.yml"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# ours\ndatasets:\n# none yet", "# ours\ndatasets:\n# none yet\n"),
        ("datasets: {}  # none yet\n", "datasets:  # none yet\n"),
        ("datasets: null\n", "datasets:\n"),
        (f"datasets:{PEOPLE}  # the end\n", f"datasets:{PEOPLE}  # the end\n"),
        ("\ufeffdatasets:\n", "\ufeffdatasets:\n"),
    ],
)
def test_a_contract_goes_to_the_end(tmp_path: Path, before: str, after: str) -> None:
    path = config(tmp_path, before)
    contracts = append_dataset(tmp_path, "others", OTHER)
    assert path.read_bytes().decode() == after + OTHER
    assert contracts == read_contracts(tmp_path)
    assert [*tmp_path.iterdir()] == [path]


def test_line_ends_and_indentation_are_those_of_the_file(tmp_path: Path) -> None:
    deeper = PEOPLE.replace("\n  ", "\n    ")
    path = config(tmp_path, f"datasets:{deeper}".replace("\n", "\r\n"))
    append_dataset(tmp_path, "others", OTHER)
    text = path.read_bytes().decode()
    assert "\r\n    others:\r\n      title: People\r\n" in text
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize(
    ("before", "added", "reason"),
    [
        (f"datasets:{PEOPLE}", PEOPLE, "dataset 'people' has a contract in datasets_config.yml already"),
        ("datasets: {a: 1}\n", OTHER, "line 1"),
        ("datasets:\n", "  others: {title: x}\n", "description: is required"),
        ("datasets: [\n", OTHER, "is not valid YAML"),
    ],
)
def test_a_file_that_would_not_be_valid_stays_as_it_was(tmp_path: Path, before: str, added: str, reason: str) -> None:
    path = config(tmp_path, before)
    with pytest.raises(UsageError, match=reason):
        append_dataset(tmp_path, "people" if added == PEOPLE else "others", added)
    assert path.read_bytes().decode() == before
    assert [*tmp_path.iterdir()] == [path]


def test_contracts_in_braces_are_left_alone(tmp_path: Path) -> None:
    import yaml

    text = yaml.safe_dump({"datasets": yaml.safe_load(PEOPLE)}, default_flow_style=True)
    path = config(tmp_path, text)
    with pytest.raises(UsageError, match="line 1: 'datasets' is written in braces"):
        append_dataset(tmp_path, "others", OTHER)
    assert path.read_text("utf-8") == text
