"""Rules as contracts name them."""

import subprocess
import sys

import pandas as pd
import pytest

from loader.cleaning import RULES, parse_rules


def test_rules_keep_their_order_and_options() -> None:
    rules = parse_rules(["trim", {"zero_pad": {"width": 9}}, {"phone": {"region": "DE"}}, {"upper": None}])
    assert [str(rule) for rule in rules] == ["trim", "zero_pad(width=9)", "phone(region=DE)", "upper"]


def test_no_rules() -> None:
    assert parse_rules(None) == []
    assert parse_rules([]) == []


@pytest.mark.parametrize(
    ("spec", "fragments"),
    [
        (["tirm"], ["unknown cleaning rule 'tirm'", *RULES]),
        ([{"zero_pad": {"widht": 9}}], ["zero_pad", "option 'width' is required", "known options: width"]),
        (
            [{"zero_pad": {"width": 9, "fill": "0"}}],
            ["zero_pad", "unknown option 'fill'", "known options: width"],
        ),
        (["zero_pad"], ["zero_pad", "option 'width' is required"]),
        ([{"zero_pad": {"width": "9"}}], ["zero_pad", "option 'width'", "valid integer"]),
        ([{"zero_pad": {"width": 0}}], ["zero_pad", "option 'width'", "greater than or equal to 1"]),
        ([{"trim": {"side": "left"}}], ["trim", "unknown option 'side'", "known options: none"]),
        ([{"phone": {"region": "Germany"}}], ["phone", "option 'region'"]),
        ([{"postal_code": {"country": "XX"}}], ["postal_code", "option 'country'", "'DE'"]),
        ([{"phone": "DE"}], ["phone", "options must be a mapping"]),
        ([{"trim": None, "upper": None}], ["expected a name or {name: {option: value}}"]),
        ([7], ["cleaning rule 7"]),
        ("trim", ["expected a list of rules"]),
    ],
)
def test_a_wrong_rule_is_named(spec: object, fragments: list[str]) -> None:
    with pytest.raises(ValueError, match="clean") as refused:
        parse_rules(spec)  # type: ignore[arg-type]
    for fragment in fragments:
        assert fragment in str(refused.value)


def test_a_region_without_telephones_is_refused_when_applied() -> None:
    (rule,) = parse_rules([{"phone": {"region": "ZZ"}}])
    with pytest.raises(ValueError, match="knows no region 'ZZ'"):
        rule.apply(pd.Series(["030 123456"], dtype="string[pyarrow]"))


@pytest.mark.parametrize("numbers", [pd.Series([1, 2]), pd.Series([1.5]), pd.Series(["a"], dtype=object)])
def test_a_column_of_another_type_is_refused(numbers: pd.Series) -> None:
    with pytest.raises(TypeError, match="Arrow-backed strings"):
        parse_rules(["trim"])[0].apply(numbers)


@pytest.mark.parametrize("dtype", ["string[pyarrow]", "str"])
def test_any_arrow_backed_string_type_is_kept(dtype: str) -> None:
    values, invalid = parse_rules(["email"])[0].apply(pd.Series([" a@B.de ", None], dtype=dtype))
    assert values.dtype == dtype
    assert values.iloc[0] == "a@b.de"
    assert pd.isna(values.iloc[1])
    assert invalid is not None
    assert invalid.tolist() == [False, False]


def test_naming_rules_imports_no_heavy_package() -> None:
    program = (
        "import sys; from loader.cleaning import parse_rules\n"
        "parse_rules(['trim', 'person_name', {'phone': {'region': 'DE'}}])\n"
        "print(sorted({'pandas', 'pyarrow', 'numpy', 'phonenumbers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
