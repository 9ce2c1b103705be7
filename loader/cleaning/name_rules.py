"""Rules for names of persons."""

import re
from typing import TYPE_CHECKING

from loader.cleaning.series import map_distinct, series_rule
from loader.cleaning.text_rules import tidied

if TYPE_CHECKING:
    import pyarrow as pa

# fmt: off
PARTICLES = frozenset([
    "van", "von", "vom", "zu", "zum", "zur", "de", "der", "den", "dem", "del", "della", "di", "da", "do",
    "dos", "du", "des", "te", "ter", "ten", "und", "y",
])
# names of their own too, so they are particles only behind another one: 'de la Cruz', but 'Le Thi'
PARTICLES_BEHIND_ANOTHER = frozenset(["la", "las", "le", "los", "het"])
# 'Mac' starts many names that are no patronymic (Machado, Macke, Maciejewski): only known ones get a capital
MAC_NAMES = {f"mac{name.lower()}": f"Mac{name}" for name in [
    "Allister", "Arthur", "Aulay", "Bean", "Beth", "Bride", "Cormack", "Diarmid", "Donald", "Donnell",
    "Dougall", "Farlane", "Gregor", "Intosh", "Intyre", "Iver", "Kay", "Kenzie", "Kinnon", "Lachlan",
    "Laren", "Lean", "Leish", "Lennan", "Leod", "Millan", "Nab", "Namara", "Naughton", "Neil", "Neill",
    "Pherson", "Quarrie", "Rae", "Tavish",
]}
# fmt: on
APOSTROPHES = ("'", "\u2019")
LETTERS = re.compile(r"[^\W\d_]+")


@series_rule
def person_name(values: "pa.Array") -> "pa.Array":
    """One spelling for the name of a person: NFC, single blanks, and proper case for ALL CAPS or all lower.

    Mixed case was written with care and stays. Names in other scripts than Latin stay. The rules of case are
    the project's own: particles (van, von, de, zu ...) are lower unless they end the name, hyphens and
    apostrophes start a capital, Mc does before three letters or more, Mac in known names only.
    """
    import pyarrow.compute as pc

    text = tidied(values)
    # German capitals keep the small ß, as in 'GROßMANN'
    capitals = pc.utf8_is_upper(pc.replace_substring(text, "ß", "ẞ"))
    one_case = pc.or_(capitals, pc.utf8_is_lower(text))
    latin = pc.match_substring_regex(text, r"^[\p{Latin}\P{L}]*$")
    return map_distinct(text, pc.and_(one_case, latin), proper_case)


def proper_case(name: str) -> str:
    """Proper case of one name that is written in capitals only or in small letters only."""
    words = name.lower().split(" ")
    cased: list[str] = []
    for position, word in enumerate(words):
        behind_particle = position > 0 and words[position - 1] in PARTICLES
        particle = word in PARTICLES or (behind_particle and word in PARTICLES_BEHIND_ANOTHER)
        is_last = position == len(words) - 1
        cased.append(word if particle and not is_last else _proper_word(word))
    return " ".join(cased)


def _proper_word(word: str) -> str:
    return LETTERS.sub(lambda part: _proper_part(part.group(), word[: part.start()], word[part.end() :]), word)


def _proper_part(part: str, before: str, after: str) -> str:
    """One run of letters; a letter alone at an apostrophe is small in 't Hooft, 's-Gravesande and Jones's."""
    apostrophe_before = before[-1:] in APOSTROPHES
    if apostrophe_before and len(part) == 1 and (len(before) == 1 or not after):
        return part
    capital = part[0].upper()
    if len(capital) > 1:  # letters such as 'ŉ' have no capital of their own
        return part
    if part.startswith("mc") and len(part) >= 5:
        return f"Mc{part[2].upper()}{part[3:]}"
    return MAC_NAMES.get(part, capital + part[1:])
