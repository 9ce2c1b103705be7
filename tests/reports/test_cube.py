"""`loader cube`: any pivot says what plain Python makes of the same rows; names are those of the mart."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Numeric, Table, insert
from sqlalchemy.schema import CreateSchema

from loader.project import Project as Opened
from loader.reports.cube.mart import Role, Source
from loader.warehouse.engines.types import day, words
from tests.conftest import Project

Row = dict[str, Any]
DAYS = [date(2024, 12, 30), date(2025, 1, 7), date(2025, 1, 8), date(2025, 2, 1), date(2025, 4, 30)]
SHOPS = ["Kiel", "Aachen | Mitte", "=Ulm", None]
GENDERS = ["X", "F", "M"]
CUBE = "cube_sale"

META = MetaData(schema="mart")
TABLES = {
    "dim_date": Table(
        "dim_date", META, Column("date_key", BigInteger), Column("date_day", day()), Column("calendar_year", Integer),
        Column("quarter_of_year", Integer), Column("month_start", day()), Column("month_name", words(20)),
        Column("iso_year", Integer), Column("iso_week", Integer),
    ),
    "dim_shop": Table("dim_shop", META, Column("shop_key", BigInteger), Column("city", words(40))),
    "dim_buyer": Table(
        "dim_buyer", META, Column("buyer_key", BigInteger), Column("first_name", words(40)), Column("gender", words(1)),
        Column("city", words(40)),
    ),
    "fct_sale": Table(
        "fct_sale", META, Column("sale_id", words(10)), Column("sale_date_key", BigInteger),
        Column("first_shop_key", BigInteger), Column("buyer_key", BigInteger), Column("paid_on", day()),
        Column("is_online", Boolean), Column("pieces", Integer), Column("amount", Numeric(12, 2)),
        Column("discount_rate", Numeric(5, 4)),
    ),
    CUBE: Table(
        CUBE, META, Column("month_start", day()), Column("grouping_level", Integer), Column("amount", Numeric(18, 2))
    ),
    "fct_stock": Table(
        "fct_stock", META, Column("counted_on", day()), Column("shop_key", BigInteger), Column("article", words(10)),
        Column("stock", Integer), Column("shelf_height", Integer), Column("counts", Integer),
    ),
}  # fmt: skip


DESCRIPTIONS = """
models:
  - name: fct_stock
    columns:
      - {name: stock, config: {meta: {additive_over: [shop, article]}}}
      - {name: shelf_height, meta: {additive_over: []}}
"""


def stocks() -> list[Row]:
    """What lies in each shop on some days; not every article was counted everywhere on each."""
    chance = random.Random(2)
    return [
        {
            "counted_on": one,
            "shop_key": shop,
            "article": article,
            "stock": chance.randrange(50),
            "shelf_height": chance.randrange(200),
            "counts": 1,
        }
        for one, shop, article in product(DAYS, range(3), ["tea", "salt"])
        if chance.random() < 0.8
    ]


STOCKS = stocks()


def sales() -> list[Row]:
    chance = random.Random(1)
    return [
        {
            "sale_id": f"S{number:04}",
            "day": chance.choice(DAYS),
            "shop": chance.randrange(len(SHOPS)),
            "buyer": chance.randrange(len(GENDERS)),
            "paid_on": chance.choice(DAYS),
            "is_online": chance.random() < 0.5,
            "pieces": chance.choice([None, 1, 2, 5]),
            "amount": Decimal(chance.randrange(-500, 99999)) / 100,
            "discount_rate": Decimal("0.0500"),
        }
        for number in range(60)
    ]


SALES = sales()


@pytest.fixture
def shop(project: Project) -> Project:
    """A mart of sales, on each engine; `first_name` is personal by a contract of the project."""

    def fill(connection: Any) -> None:
        connection.execute(CreateSchema("mart", if_not_exists=True))
        META.create_all(connection)
        for name, rows in contents().items():
            connection.execute(insert(TABLES[name]), rows)

    Opened.open(project.root).warehouse.run(fill)
    (project.root / "dbt_project/models/marts/described.yml").write_text(DESCRIPTIONS, encoding="utf-8")
    return project


def contents() -> dict[str, list[Row]]:
    cube: dict[Any, Decimal] = defaultdict(Decimal)
    for sale in SALES:
        cube[sale["day"].replace(day=1), 0] += sale["amount"]
        cube[None, 1] += sale["amount"]
    return {
        "dim_date": [
            {
                "date_key": int(f"{one:%Y%m%d}"),
                "date_day": one,
                "calendar_year": one.year,
                "quarter_of_year": (one.month + 2) // 3,
                "month_start": one.replace(day=1),
                "month_name": f"{one:%B}",
                "iso_year": one.isocalendar().year,
                "iso_week": one.isocalendar().week,
            }
            for one in {*DAYS, *(one.replace(day=1) for one in DAYS)}
        ],
        "dim_shop": [{"shop_key": at, "city": city} for at, city in enumerate(SHOPS)],
        "dim_buyer": [
            {"buyer_key": at, "first_name": "Ada", "gender": gender, "city": "Kiel"}
            for at, gender in enumerate(GENDERS)
        ],
        "fct_sale": [
            {
                "sale_id": sale["sale_id"],
                "sale_date_key": int(f"{sale['day']:%Y%m%d}"),
                "first_shop_key": sale["shop"],
                "buyer_key": sale["buyer"],
                **{name: sale[name] for name in ("paid_on", "is_online", "pieces", "amount", "discount_rate")},
            }
            for sale in SALES
        ],
        "fct_stock": STOCKS,
        CUBE: [
            {"month_start": month, "grouping_level": level, "amount": sum_} for (month, level), sum_ in cube.items()
        ],
    }


# --- what Python makes of it

VALUES: dict[str, Callable[[Row], Any]] = {
    "first_shop.city": lambda sale: SHOPS[sale["shop"]],
    "gender": lambda sale: GENDERS[sale["buyer"]],
    "month": lambda sale: f"{sale['day']:%Y-%m}",
    "quarter": lambda sale: f"{sale['day'].year}-Q{(sale['day'].month + 2) // 3}",
    "week": lambda sale: f"{sale['day']:%G-W%V}",
    "paid_on.year": lambda sale: str(sale["paid_on"].year),
    "is_online": lambda sale: str(sale["is_online"]),
}


def pieces(rows: list[Row]) -> list[int]:
    return [row["pieces"] for row in rows if row["pieces"] is not None]


def quotient(over: Decimal | int, under: Decimal | int) -> float | None:
    return float(round(Decimal(over) / Decimal(under), 4)) if under else None


MEASURES: dict[str, Callable[[list[Row]], Any]] = {
    "amount": lambda rows: float(sum(row["amount"] for row in rows)),
    "pieces": lambda rows: sum(pieces(rows)) if pieces(rows) else None,
    "pieces:avg": lambda rows: quotient(sum(pieces(rows)), len(pieces(rows))),
    "pieces:count": lambda rows: len(pieces(rows)),
    "pieces:distinct": lambda rows: len(set(pieces(rows))),
    "amount:min": lambda rows: float(min(row["amount"] for row in rows)),
    "paid_on:max": lambda rows: str(max(row["paid_on"] for row in rows)),
    "each=amount/pieces": lambda rows: quotient(sum(row["amount"] for row in rows), sum(pieces(rows))),
    "amount/sale_id:distinct": lambda rows: quotient(sum(row["amount"] for row in rows), len(rows)),
}


def expected(names: Iterable[str], rows: list[Row] = SALES) -> dict[tuple[Any, ...], dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(VALUES[name](row) for name in names)].append(row)
    return {
        key: {measure.split("=")[0]: make(group) for measure, make in MEASURES.items()} for key, group in groups.items()
    }


def by(names: list[str], cells: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        tuple(cell[name] for name in names): {name: value for name, value in cell.items() if name not in names}
        for cell in cells
    }


def test_any_pivot_says_what_python_does(shop: Project) -> None:
    measures = [word for name in MEASURES for word in ("--measure", name)]
    for row, column in [*product(VALUES, ["month", "gender"]), ("gender", "first_shop.city")]:
        if row == column:
            continue
        answer = shop.loader("cube", "fct_sale", "--rows", row, "--columns", column, *measures, "--json").json
        assert by([row, column], answer["cells"]) == expected([row, column])
        totals = answer["totals"]
        assert by([row], [cell for cell in totals if row in cell]) == expected([row])
        assert by([column], [cell for cell in totals if column in cell]) == expected([column])
        assert by([], [cell for cell in totals if not {row, column} & set(cell)]) == expected([])


def stock_of(**fixed: Any) -> int | None:
    """A sum over what is fixed; none where it would add up days."""
    rows = [row for row in STOCKS if all(row[name] == value for name, value in fixed.items())]
    return sum(row["stock"] for row in rows) if len({row["counted_on"] for row in rows}) == 1 else None


def test_what_is_semi_additive_has_totals_along_the_other_dimensions_only(shop: Project) -> None:
    ask = ("cube", "fct_stock", "--rows", "article", "--columns", "day", "--measure", "stock")
    result = shop.loader(*ask, "--measure", "counts", "--json").json
    for cell in [*result["cells"], *result["totals"]]:
        fixed = {"counted_on": date.fromisoformat(cell["day"])} if "day" in cell else {}
        fixed |= {"article": cell["article"]} if "article" in cell else {}
        assert cell["stock"] == stock_of(**fixed), cell
        assert cell["counts"] == sum(all(row[name] == value for name, value in fixed.items()) for row in STOCKS)
    told = shop.loader(*ask)
    assert "note: 'stock' does not add up over counted_on: such totals are left out" in told.output
    assert told.stdout.splitlines()[2].split() == ["article", *map(str, sorted(DAYS))]
    once = shop.loader("cube", "fct_stock", "--measure", "stock", "--filter", "day=2025-01-07", "--json").json
    assert once["cells"] == [{"stock": stock_of(counted_on=date(2025, 1, 7))}]


def test_an_average_of_what_is_semi_additive_is_over_its_points_in_time(shop: Project) -> None:
    answer = shop.loader("cube", "fct_stock", "--rows", "article", "--measure", "stock:avg", "--json").json
    for cell in answer["cells"]:
        rows = [row for row in STOCKS if row["article"] == cell["article"]]
        expected_ = Decimal(sum(row["stock"] for row in rows)) / len({row["counted_on"] for row in rows})
        assert cell["stock:avg"] == float(round(expected_, 4))
    heights = [row["shelf_height"] for row in STOCKS]
    answer = shop.loader("cube", "fct_stock", "--measure", "shelf_height:avg", "--json").json
    assert answer["cells"] == [{"shelf_height:avg": float(round(Decimal(sum(heights)) / len(heights), 4))}]


def test_rows_are_sorted_and_cut_after_totals_are_made(shop: Project) -> None:
    def rows(*args: str) -> list[Any]:
        ask = ("cube", "fct_sale", "--rows", "sale_id", "--measure", "amount", *args)
        return [cell["sale_id"] for cell in shop.loader(*ask, "--json").json["cells"]]

    by_amount = [sale["sale_id"] for sale in sorted(SALES, key=lambda sale: -sale["amount"])]
    assert rows("--top", "5") == by_amount[:5]
    assert rows("--sort", "amount") == by_amount
    assert rows("--sort", "amount", "--reverse", "--top", "2") == by_amount[::-1][:2]
    assert rows("--sort", "sale_id", "--reverse") == [sale["sale_id"] for sale in SALES][::-1]
    result = shop.loader("cube", "fct_sale", "--rows", "gender", "--measure", "amount", "--top", "1")
    assert "note: 2 rows more; totals are of all rows" in result.output
    assert f"{sum(sale['amount'] for sale in SALES):,}" in result.stdout.splitlines()[-2]


def test_a_filter_that_finds_nothing_says_so(shop: Project) -> None:
    ask = ("cube", "fct_sale", "--rows", "gender", "--measure", "amount", "--filter", "gender=Q")
    assert "note: no row matches the filters" in shop.loader(*ask).output


def test_filters_by_value_and_by_range(shop: Project) -> None:
    def sum_of(*filters: str) -> Any:
        words = [word for one in filters for word in ("--filter", one)]
        return shop.loader("cube", "fct_sale", "--measure", "amount", *words, "--json").json["cells"][0]["amount"]

    def expected_sum(fits: Callable[[Row], bool]) -> float:
        return float(sum(sale["amount"] for sale in SALES if fits(sale)))

    assert sum_of("gender=F, M") == expected_sum(lambda sale: GENDERS[sale["buyer"]] in "FM")
    assert sum_of("month>=2025-01", "quarter=2025-Q1") == expected_sum(lambda s: s["day"].month < 3)
    assert sum_of("week>=2025-W01", "week<=2025-W02") == expected_sum(lambda s: s["day"].isocalendar().week <= 2)
    assert sum_of("paid_on<=2025-01-08", "is_online=true") == expected_sum(
        lambda sale: sale["paid_on"] <= date(2025, 1, 8) and sale["is_online"]
    )
    assert sum_of("pieces=5", "year>=2025") == expected_sum(lambda s: s["pieces"] == 5 and s["day"].year == 2025)
    assert sum_of("gender=it's; drop table fct_sale") is None


def test_a_cube_is_not_summed_over_its_own_totals(shop: Project) -> None:
    answer = shop.loader("cube", "--columns", "month", "--measure", "amount", "--json").json
    assert answer["table"] == CUBE  # a cube comes before a fact
    assert [cell["month"] for cell in answer["cells"]] == ["2024-12", "2025-01", "2025-02", "2025-04"]
    assert answer["totals"] == [{"amount": float(sum(sale["amount"] for sale in SALES))}]


def test_orders_are_those_of_contracts_and_calendar_and_nothing_is_a_formula(shop: Project) -> None:
    ask = ("cube", "--rows", "gender,first_shop.city", "--columns", "month_name", "--measure", "amount")
    lines = list(csv.reader(io.StringIO(shop.loader(*ask, "--format", "csv").stdout)))
    assert lines[0] == ["gender", "first_shop.city", "January", "February", "April", "December", "total"]
    assert [line[0] for line in lines[1:]] == sorted(
        (line[0] for line in lines[1:]), key=["F", "M", "X", "total"].index
    )
    assert {line[1] for line in lines[1:-1]} == {"Kiel", "Aachen | Mitte", "'=Ulm", "(none)"}
    markdown = shop.loader(*ask, "--format", "md", "--no-totals").stdout.splitlines()
    assert markdown[:2] == [
        "| gender | first_shop.city | January | February | April | December |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    assert any("| Aachen \\| Mitte |" in line for line in markdown)
    assert "total" not in "".join(markdown)


def test_a_file_holds_what_is_printed_and_excel_reads_it(shop: Project) -> None:
    ask = ("cube", "--rows", "gender", "--measure", "amount")
    path = shop.root / "sales.csv"
    assert shop.loader(*ask, "--output", path).exit_code == 0
    assert path.read_bytes().decode("utf-8-sig") == shop.loader(*ask, "--format", "csv").stdout
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    result = shop.loader(*ask, "--output", shop.root / "missing" / "sales.csv")
    assert result.exit_code == 3
    assert "cannot be written (No such file or directory)" in result.output


def test_the_table_for_people_names_what_was_asked(shop: Project) -> None:
    result = shop.loader(
        "cube", "--rows", "gender", "--columns", "year", "--measure", "amount", "--filter", "gender=F,X"
    )
    assert result.output.startswith("Amount by gender and year, where gender is F or X (mart.fct_sale)\n")
    total = sum(sale["amount"] for sale in SALES if GENDERS[sale["buyer"]] != "M")
    last = [line for line in result.output.splitlines() if line.strip()][-1].split()
    assert (last[0], last[-1]) == ("total", f"{total:,}")


def test_pictures_are_lines_along_the_time_and_bars_else(shop: Project) -> None:
    for across, shape, name in (("month", "polyline", "lines.svg"), ("is_online", "rect", "bars.svg")):
        path = shop.root / name
        ask = ("cube", "--rows", "first_shop.city", "--columns", across, "--measure", "amount:count")
        assert shop.loader(*ask, "--output", path).output == f"written: {name}\n"
        picture = ET.parse(path).getroot()
        drawn = [one for one in picture.iter() if one.tag.endswith(shape) and one.get("rx") is None]
        assert len(drawn) >= len(SHOPS)
        titles = {one.text for one in picture.iter() if one.tag.endswith("title") and one.text}
        for shop_, place in product(SHOPS, {VALUES[across](sale) for sale in SALES}):
            count = sum(SHOPS[sale["shop"]] == shop_ and VALUES[across](sale) == place for sale in SALES)
            names = [shop_ or "(none)", place] if across == "month" else [place, shop_ or "(none)"]
            assert (f"{', '.join(names)}: {count}" in titles) == bool(count)


def test_what_can_be_asked_is_told_without_what_is_personal(shop: Project) -> None:
    tables = {one["table"]: one for one in shop.loader("cube", "--json").json}
    assert list(tables) == [CUBE, "fct_sale", "fct_stock"]
    assert tables["fct_stock"]["measures"] == ["stock", "counts"]
    assert tables["fct_stock"]["attributes"] == ["counted_on", "article", "shelf_height"]
    assert tables["fct_sale"]["measures"] == ["pieces", "amount", "discount_rate"]
    assert tables["fct_sale"]["attributes"] == ["sale_id", "paid_on", "is_online"]
    assert tables["fct_sale"]["dimensions"]["buyer"] == ["gender", "city"]
    assert tables["fct_sale"]["dimensions"]["sale_date"][:5] == ["year", "quarter", "month", "week", "day"]
    for ask in (["cube"], ["cube", "fct_sale"], ["cube", "mart.fct_sale"]):
        assert "first_shop" in shop.loader(*ask).output
        assert "first_name" not in shop.loader(*ask).output


NOT_THERE: list[tuple[list[str], str]] = [
    (["fct_none", "--measure", "amount"], f"no fact or aggregate 'fct_none'; it has: {CUBE}, fct_sale, fct_stock"),
    (["dim_buyer", "--measure", "city:count"], "no fact or aggregate 'dim_buyer'"),
    (["fct_sale", "--rows", 'city"; drop table fct_sale', "--measure", "amount"], "has no 'city\"; drop table"),
    (["fct_sale", "--rows", "city", "--measure", "amount"], "say first_shop.city, buyer.city"),
    (["fct_sale", "--rows", "seller.city", "--measure", "amount"], "knows no 'seller'; it knows: sale_date"),
    (["fct_sale", "--rows", "buyer.first_name", "--measure", "amount"], "'first_name' is personal"),
    (["fct_sale", "--filter", "first_name=Ada", "--measure", "amount"], "'first_name' is personal"),
    (["fct_sale", "--rows", "gender"], "name at least one --measure"),
    (["fct_sale", "--measure", "money"], "no measure 'money'; it has: pieces, amount"),
    (["fct_sale", "--measure", "amount:median"], "no aggregate is called 'median'"),
    (["fct_sale", "--measure", "amount:avg/pieces"], "not of averages"),
    (["fct_sale", "--measure", "amount//pieces"], "is not understood"),
    (["fct_sale", "--measure", "sale_id"], "cannot be summed; it can be counted: sale_id:count"),
    (["fct_sale", "--measure", "discount_rate"], "ratios add up to nothing"),
    (["fct_sale", "--measure", "amount", "--filter", "month=2025-13"], "'2025-13' is not a valid value of a period"),
    (["fct_sale", "--measure", "amount", "--filter", "month"], "--filter 'month' is not understood"),
    (["fct_sale", "--measure", "amount", "--output", "a.xlsx"], "not as 'xlsx'"),
    (["fct_sale", "--columns", "sale_id,paid_on", "--measure", "amount"], "returns 60 columns, more than"),
    (["fct_sale", "--columns", "gender,paid_on", "--measure", "amount", "--format", "svg"], "up to 8 series"),
    (["fct_stock", "--measure", "shelf_height"], "does not add up; ask for its :avg, :min or :max"),
    (["fct_stock", "--rows", "article", "--measure", "stock"], "does not add up over counted_on: name that in --rows"),
    (["fct_stock", "--measure", "stock/counts", "--filter", "month=2025-01"], "does not add up over counted_on"),
    (["fct_stock", "--measure", "counts", "--top", "3"], "--sort and --top are about rows"),
    (["fct_stock", "--measure", "counts", "--rows", "city", "--reverse"], "--reverse belongs to --sort"),
    (["fct_stock", "--measure", "counts", "--rows", "city", "--sort", "town"], "--sort 'town' is not among rows and"),
    (["--rows", "colour", "--measure", "amount"], "no table of the mart knows all of that"),
]  # fmt: skip


def test_what_is_not_there_is_answered_with_what_there_is(shop: Project) -> None:
    for asked, answer in NOT_THERE:
        result = shop.loader("cube", *asked)
        assert result.exit_code == 2, result.output
        assert answer in result.output
        assert result.output.startswith("usage: ")
        assert len(result.output.splitlines()) == 1


def test_before_the_first_build_there_is_nothing_to_ask(project: Project) -> None:
    result = project.loader("cube", "--rows", "city", "--measure", "population")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "run `loader build` first" in result.output


def test_fiscal_columns_of_the_calendar_follow_one_another_in_time() -> None:
    calendar = {"date_key": "integer", "date_day": "date", "month_name": "text", "fiscal_period": "text"}
    roles = {"date": Role("date", "dim_date", "date_key", "date_key")}
    entries = Source(
        "fct_entry", {"date_key": "integer", "amount": "number"}, roles, {"dim_date": calendar}, frozenset()
    )
    assert entries.attribute("fiscal_period").is_time
    assert not entries.attribute("month_name").is_time
    assert entries.filter("fiscal_period>=FY2025-P03").values == ("FY2025-P03",)
    assert "fiscal_period" in entries.of_role(roles["date"])
    assert "fiscal_period" not in Source("f", {}, roles, {"dim_date": {"date_key": "integer"}}, frozenset()).of_role(
        roles["date"]
    )
