"""A big monthly workbook of citizens, in the notations that real ones have and the contract cures."""

from __future__ import annotations

import sys
from pathlib import Path

_PLACES = [
    ("01067", "Dresden"),
    ("04103", "Leipzig"),
    ("09111", "Chemnitz"),
    ("08056", "Zwickau"),
    ("02826", "Görlitz"),
]
_FIRST_NAMES = ["Anna Lena", "Bernd", "CARLA", "dieter", "Emil", "Frieda", "Jürgen", "Hanna", " Zoë", "Gustav  "]
_LAST_NAMES = ["Müller", "SCHMIDT", "von Berg", "Groß", "Koch-Lang", "lehmann", "Schönherr", "Böhm"]
_STREETS = ["Prager Straße", "Hauptstr.", "Am Anger", "Karl-Liebknecht-Str.", "Bergstraße", "Lindenweg"]


def main(path: Path, rows: int) -> None:
    """Write that many citizens; the same for the same number."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from benchmarks.workbook.file import write_workbook
    from benchmarks.workbook.phone_numbers import phone_numbers

    random = np.random.default_rng(3)

    def pick(words: list[str]) -> np.ndarray:
        return np.array(words)[random.integers(0, len(words), rows)]

    def day(first: str, span: int) -> np.ndarray:
        return np.datetime64(first) + random.integers(0, span, rows).astype("timedelta64[D]")

    ids = np.char.zfill((1_000_000 + np.arange(rows)).astype(str), 9)
    place = random.integers(0, len(_PLACES), rows)
    phones = phone_numbers(rows)
    columns = {
        "Citizen ID": ids,
        "First name": pick(_FIRST_NAMES),
        "Last name": np.char.add(pick(_LAST_NAMES), np.array(list("abcdefghij"))[random.integers(0, 10, rows)]),
        "Birth date": day("1930-01-01", 28_000),
        "Gender": pick(["F", "M", "f", "X"]),
        "E-mail": np.char.add(np.char.add("User.", ids), pick(["@example.org", "@EXAMPLE.com", "@example.net "])),
        "Phone": pc.if_else(pa.array(random.random(rows) < 0.1), None, phones),
        "Street": np.char.add(pick(["", "", "Alte "]), pick(_STREETS)),
        "House number": np.char.add(random.integers(1, 140, rows).astype(str), pick(["", "", "", "a", " B"])),
        "Postal code": np.array([code for code, _ in _PLACES])[place],
        "City": np.array([city for _, city in _PLACES])[place],
        "Moved in": day("2007-01-01", 6_000),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_workbook(path, {name: pa.array(values) for name, values in columns.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
