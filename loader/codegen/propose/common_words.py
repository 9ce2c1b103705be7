"""Words that senders use for nothing, for yes and no, below a table, and for what a column holds.

They are the only texts of a file's cells that a proposal may show: these lists hold them already.
"""

from __future__ import annotations

import re

NULLS = (
    *("-", "--", "---", "\u2013", "\u2014", ".", "..", "?", "n/a", "N/A", "n.a.", "N.A.", "#N/A", "NA", "na", "\\N"),
    *(
        "null",
        "NULL",
        "Null",
        "(null)",
        "none",
        "None",
        "NONE",
        "nil",
        "nan",
        "NaN",
        "NAN",
        "k.A.",
        "k. A.",
        "keine Angabe",
    ),
    *("missing", "Missing", "not available", "Not Available", "unbekannt", "unknown", "Unknown", "leer"),
)
"""Stand for nothing in a column of numbers, dates or booleans."""

NULLS_OF_TEXTS = ("#N/A",)
"""Stand for nothing in a column of texts, too: a load rejects them as errors of a spreadsheet."""

ASKED_NULLS_OF_TEXTS = ("null", "NULL", "Null", "(null)", "n/a", "N/A", "\\N", "NaN")
"""May stand for nothing in a column of texts, or be one: there is a Mr. Null, and `nan` is the code of a language."""

YES_AND_NO = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("ja", "nein"),
    ("j", "n"),
    ("wahr", "falsch"),
    ("oui", "non"),
    ("vrai", "faux"),
    ("sí", "no"),
    ("si", "no"),
    ("s", "n"),
    ("sim", "não"),
    ("verdadero", "falso"),
    ("tak", "nie"),
    ("on", "off"),
)

YES = {yes for yes, _ in YES_AND_NO} | {"1"}
NO = {no for _, no in YES_AND_NO} | {"0"}
"""Words of which each stands for yes, or for no, whatever the other one is; digits beside words only."""

MARKS = {"x", "\u2713", "\u2714", "\u2611", "*"}
"""Stand where the answer is yes, with nothing where it is no."""

OF_PROGRAMS = re.compile(
    r"(?:unnamed: ?\d+(?:_level_\d+)?|column ?\d+|spalte ?\d+|colonne ?\d+|columna ?\d+|_c\d+|\.{3}\d+|field ?\d+)",
    re.IGNORECASE,
)
"""Headers that programs write where there is none: pandas, Excel in four languages, Spark, R, Access."""

BEFORE_PERIODS = re.compile(
    r"\b(as (?:of|at|per)|stand|stichtag|per|period|(?:reporting|report) (?:date|month|period)|month|quarter|year|week|"
    r"berichtsmonat|berichtszeitraum|zeitraum|monat|quartal|jahr|woche|date|datum|mois|mes|fecha)\b[\s:.]*$",
    re.IGNORECASE,
)
"""What stands before a period in a line above a table."""

TOTALS = re.compile(
    r"(grand total|sub-?total|total|sums?|summe|gesamt(?:summe)?|insgesamt|zusammen|totale?s?|totaal|somme|suma)\b",
    re.IGNORECASE,
)
"""How a totals row begins."""

NOTES = re.compile(
    r"(sources?|notes?|footnotes?|remarks?|legend|quellen?|hinweise?|anmerkung(?:en)?|fußnoten?|stand|copyright|©|"
    r"data (?:from|as of)|last updated?|as of|prepared by|erstellt|printed|report generated|end of (?:report|file))\b",
    re.IGNORECASE,
)
"""How a line below a table begins."""

MONEY = ("$", "€", "£", "¥", "₹", "CHF", "EUR", "USD", "GBP", "US$", "Fr.", "kr", "zł", "R$", "A$", "C$")
"""Signs and words of money."""
