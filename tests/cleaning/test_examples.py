"""Tables of examples: what arrives, what is kept."""

from typing import Any

import pytest

from .columns import cleaned_value, is_rejected

NBSP, ZWSP, BOM = "\u00a0", "\u200b", "\ufeff"
DE = {"postal_code": {"country": "DE"}}


def accepted(rule: Any, *pairs: tuple[str, str | None]) -> list[tuple[Any, str, str | None]]:
    return [(rule, arrived, kept) for arrived, kept in pairs]


@pytest.mark.parametrize(
    ("rule", "arrived", "kept"),
    [
        *accepted(
            "trim",
            ("  Dresden\t", "Dresden"),
            (f"{NBSP}Dresden{NBSP}{ZWSP} ", "Dresden"),
            (f"{BOM}Dresden\r\n", "Dresden"),
            ("Bad  Muskau", "Bad  Muskau"),
            (f" {NBSP}{ZWSP}", None),
            ("", None),
        ),
        *accepted(
            "collapse_blanks",
            (f" Bad {NBSP} Muskau ", "Bad Muskau"),
            ("House\nnumber", "House number"),
            (f"Dres{ZWSP}den", "Dresden"),
            ("Do\u0308\u00adbeln", "Döbeln"),
        ),
        *accepted("nfc", ("Mu\u0308ller", "M\u00fcller"), ("\u212b", "\u00c5"), ("Müller", "Müller")),
        *accepted("upper", ("f", "F"), ("ö", "Ö"), ("X", "X")),
        *accepted("lower", ("F", "f"), ("Ö", "ö")),
        *accepted(
            {"zero_pad": {"width": 9}},
            ("1234", "000001234"),
            (" 1234", "000001234"),
            ("0123456789", "0123456789"),
            ("A12", "A12"),
            ("-12", "-12"),
        ),
        *accepted("digits_only", ("12-34 56", "123456"), ("none", None)),
        *accepted(
            "person_name",
            ("MÜLLER", "Müller"),
            ("müller", "Müller"),
            ("  ANNA \u00a0 LENA ", "Anna Lena"),
            ("MÜLLER-LÜDENSCHEIDT", "Müller-Lüdenscheidt"),
            ("GROßMANN", "Großmann"),
            ("O'BRIEN", "O'Brien"),
            ("d\u2019angelo", "D\u2019Angelo"),
            ("'t hooft", "'t Hooft"),
            ("'S-GRAVESANDE", "'s-Gravesande"),
            ("VON DER LEYEN", "von der Leyen"),
            ("ludwig van beethoven", "Ludwig van Beethoven"),
            ("JAN VAN 'T HOFF", "Jan van 't Hoff"),
            ("ZU GUTTENBERG", "zu Guttenberg"),
            ("DE LA CRUZ", "de la Cruz"),
            ("LE THI", "Le Thi"),
            ("DE", "De"),
            ("MCDONALD", "McDonald"),
            ("MCKEE", "McKee"),
            ("MCA", "Mca"),
            ("MACDONALD", "MacDonald"),
            ("MACHADO", "Machado"),
            ("MACKE", "Macke"),
            ("J.R.", "J.R."),
            ("McDonald", "McDonald"),
            ("deVries", "deVries"),
            ("Van der Berg", "Van der Berg"),
            ("ИВАН", "ИВАН"),
        ),
        *accepted(
            "email",
            (" Anna.Muster@EXAMPLE.DE ", "Anna.Muster@example.de"),
            ("mailto:anna@example.org", "anna@example.org"),
            ("MAILTO:anna@example.org", "anna@example.org"),
            ("<anna@example.org>", "anna@example.org"),
            ("<mailto:anna@example.org>", "anna@example.org"),
            ("Anna Muster <anna@example.org>", "anna@example.org"),
            ("anna+news@sub.example.co.uk", "anna+news@sub.example.co.uk"),
            ("anna@MÜLLER.de", "anna@müller.de"),
            ("anna@xn--mller-kva.xn--p1ai", "anna@xn--mller-kva.xn--p1ai"),
            ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
            (f" {NBSP} ", None),
            ("<>", None),
        ),
        *accepted(
            {"phone": {"region": "DE"}},
            ("+493511234567", "+493511234567"),
            ("0351 1234567", "+493511234567"),
            ("0351/123 45-67", "+493511234567"),
            ("(0351) 1234567", "+493511234567"),
            ("+49 (0)351 1234567", "+493511234567"),
            ("(+49) 351 1234567", "+493511234567"),
            ("0049 351 1234567", "+493511234567"),
            ("3511234567", "+493511234567"),
            (f"{NBSP}0351{NBSP}1234567", "+493511234567"),
            ("tel:+49-351-1234567", "+493511234567"),
            ("0351 1234567 ext. 12", "+493511234567"),
            ("0151 23456789", "+4915123456789"),
            ("0800 1234567", "+498001234567"),
            ("+420 222 333 444", "+420222333444"),
            ("\uff10\uff13\uff15\uff11 1234567", "+493511234567"),  # full-width digits
            ("  ", None),
        ),
        *accepted(
            {"phone": {"region": "US"}},
            ("(212) 555-0123", "+12125550123"),
            ("1 212 555 0123", "+12125550123"),
            ("1-800-FLOWERS", "+18003569377"),
            ("011 49 351 1234567", "+493511234567"),
        ),
        *accepted({"phone": {"region": "IT"}}, ("06 1234 5678", "+390612345678")),
        *accepted(
            "street",
            ("Prager Str.", "Prager Straße"),
            ("Prager  Str", "Prager Straße"),
            ("Hauptstr.", "Hauptstraße"),
            ("Hauptstrasse", "Hauptstraße"),
            ("Karl-Marx-Str.", "Karl-Marx-Straße"),
            ("Str. der Nationen", "Straße der Nationen"),
            ("Strasse des 17. Juni", "Straße des 17. Juni"),
            ("HAUPTSTR.", "HAUPTSTRASSE"),
            ("Straßburger Platz", "Straßburger Platz"),
            ("Strandweg", "Strandweg"),
            ("Am Elster", "Am Elster"),
            ("Hauptstraße", "Hauptstraße"),
        ),
        *accepted(
            "house_number",
            ("12", "12"),
            ("12 a", "12a"),
            ("12 A", "12a"),
            ("12 \u2013 14", "12-14"),
            ("12 a - 14 B", "12a-14b"),
            ("3 / 5", "3/5"),
            (" 7\u00a0c ", "7c"),
            ("Haus 3", "Haus 3"),
        ),
        *accepted(
            DE,
            ("01067", "01067"),
            ("1067", "01067"),
            (" 01 067", "01067"),
            ("D-01067", "01067"),
            ("DE 04103", "04103"),
        ),
        *accepted({"postal_code": {"country": "AT"}}, ("1010", "1010"), ("A-1010", "1010")),
        *accepted({"postal_code": {"country": "CH"}}, ("CH-8001", "8001")),
        *accepted({"postal_code": {"country": "FR"}}, ("75 008", "75008"), ("1000", "01000")),
        *accepted({"postal_code": {"country": "GB"}}, ("sw1a1aa", "SW1A 1AA"), ("M1 1AE", "M1 1AE")),
        *accepted({"postal_code": {"country": "NL"}}, ("1234ab", "1234 AB"), ("NL-1234 AB", "1234 AB")),
        *accepted({"postal_code": {"country": "PL"}}, ("00-950", "00-950"), ("950", "00-950")),
        *accepted({"postal_code": {"country": "PL"}}, ("12345", "12-345")),
        *accepted(
            {"postal_code": {"country": "US"}},
            ("02139", "02139"),
            ("2139", "02139"),
            ("501", "00501"),
            ("02139-4307", "02139-4307"),
            ("021394307", "02139-4307"),
        ),
    ],
)
def test_what_is_kept(rule: Any, arrived: str, kept: str | None) -> None:
    assert cleaned_value(rule, arrived) == kept


@pytest.mark.parametrize(
    ("rule", "arrived"),
    [
        *[
            ("email", wrong)
            for wrong in [
                "anna",
                "anna@",
                "@example.org",
                "anna@example",
                "anna@@example.org",
                "anna@example..org",
                ".anna@example.org",
                "anna.@example.org",
                "an na@example.org",
                "müller@example.org",
                "anna@-example.org",
                "anna@example-.org",
                "anna@example.123",
                "anna@[192.0.2.1]",
                '"anna"@example.org',
                "a@example.org; b@example.org",
                "x" * 65 + "@example.org",
                "anna@" + "x" * 64 + ".org",
                "anna@" + "x.".join(["y" * 60] * 5) + ".org",
            ]
        ],
        *[
            ({"phone": {"region": "DE"}}, wrong)
            for wrong in ["none", "110", "+49 1", "0351", "+999 1234567", "1" * 300]
        ],
        *[(DE, wrong) for wrong in ["123", "00123", "123456", "0106A", "Dresden"]],
        ({"postal_code": {"country": "AT"}}, "0101"),
        ({"postal_code": {"country": "GB"}}, "SW1A"),
        ({"postal_code": {"country": "NL"}}, "1234"),
        ({"postal_code": {"country": "US"}}, "123456"),
    ],
)
def test_what_is_rejected(rule: Any, arrived: str) -> None:
    assert is_rejected(rule, arrived)
