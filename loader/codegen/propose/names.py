"""Names for columns and datasets that work on every engine without quotes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from loader.contracts.names import portable

_LETTERS = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "æ": "ae",
        "ø": "o",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "%": " percent ",
        "№": "no",
    }
)
_SUFFIX = "_value"


def column_names(headers: Sequence[str]) -> list[str]:
    """A name for each header: lower case, in ASCII, no word of SQL, none twice."""
    names: list[str] = []
    for at, header in enumerate(headers, start=1):
        name = _taken(_plain(header), f"column_{at}")
        names.append(name if name not in names else f"{name[:46]}_{at}")
    return names


def dataset_name(stem: str) -> str:
    """A name for the dataset of files whose names begin so."""
    return _taken(_plain(re.sub(r"\b(?:final|copy|kopie|export|neu|new)\b", " ", stem)), "dataset")


def title(text: str) -> str:
    """A name for people.

    >>> title("unit_prices")
    'Unit prices'
    """
    plain = " ".join(re.sub(r"[\W_]+", " ", text).split())
    return plain[:1].upper() + plain[1:]


def words_of(header: str) -> list[str]:
    """The words of a header in lower case, those written together as `birthDate` too.

    >>> words_of("Birth-Date_of patientName")
    ['birth', 'date', 'of', 'patient', 'name']
    """
    apart = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", unicodedata.normalize("NFC", header))
    return [word.casefold() for word in re.findall(r"[^\W_]+", apart)]


def _plain(text: str) -> str:
    apart = (
        re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z][a-zß-ÿ])", " ", unicodedata.normalize("NFC", text)).lower().translate(_LETTERS)
    )
    letters = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:50].strip("_")


def _taken(name: str, otherwise: str) -> str:
    """The name, changed where a contract would not take it."""
    if not name:
        return otherwise
    if not name[0].isalpha() or name.startswith("dbt_"):
        name = f"c_{name}"[:50]
    try:
        return portable("column", name)
    except ValueError:
        return name[: 50 - len(_SUFFIX)] + _SUFFIX
