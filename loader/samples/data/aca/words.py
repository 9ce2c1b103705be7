"""Names of people and streets. Faker is slow per call, so its words are drawn once."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Words:
    """Vocabularies; women's first names are those before `men_from`, men's those from there on."""

    first_names: list[str]
    men_from: int
    last_names: list[str]
    streets: list[str]


@lru_cache(maxsize=2)
def words(seed: int) -> Words:
    """Names as they are found in Florida: English and Spanish."""
    from faker import Faker

    english, spanish = Faker("en_US"), Faker("es_MX")
    english.seed_instance(seed)
    spanish.seed_instance(seed)

    def drawn(draw: Any, times: int) -> list[str]:
        return [word for word in dict.fromkeys(draw() for _ in range(times)) if _is_plain(word)]

    women = list(dict.fromkeys(drawn(english.first_name_female, 400) + drawn(spanish.first_name_female, 300)))
    men = list(dict.fromkeys(drawn(english.first_name_male, 400) + drawn(spanish.first_name_male, 300)))
    last_names = list(dict.fromkeys(drawn(english.last_name, 900) + drawn(spanish.last_name, 700)))
    streets = [street for street in dict.fromkeys(english.street_name() for _ in range(900)) if street.isascii()]
    return Words(women + men, len(women), last_names, streets)


def _is_plain(name: str) -> bool:
    """Whether capitals do not hide how a name is written: 'MCBRIDE' may be Mcbride or McBride."""
    return name.isalpha() and name == name.capitalize() and not name.startswith(("Mc", "Mac"))


def without_accents(name: str) -> str:
    """How a name is written in an e-mail address."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
