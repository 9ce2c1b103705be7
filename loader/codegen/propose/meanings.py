"""What a column is about, as far as its header and the digits in it tell: codes, amounts, what is said of persons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from loader.codegen.propose.names import words_of

_CODES = {
    *("zip", "zipcode", "postal", "postalcode", "postcode", "plz", "postleitzahl"),
    *(
        "code",
        "codes",
        "cd",
        "kode",
        "schluessel",
        "schlüssel",
        "kennung",
        "fips",
        "geoid",
        "ags",
        "naics",
        "sic",
        "nuts",
    ),
    *("snomed", "icd", "icd10", "loinc", "cpt", "hcpcs", "ndc", "npi", "atc", "pzn", "drg", "ops", "rxnorm"),
    *("ean", "gtin", "upc", "isbn", "issn", "sku", "iban", "bic", "swift", "blz", "vin", "imei"),
    *("ssn", "ustid", "passport"),
}
_PHONES = {"phone", "telephone", "tel", "fax", "mobile", "handy", "mobil"}
_DIGITS_OF_PHONES = 7
_CODE_ENDINGS = ("code", "plz", "postleitzahl", "telefon", "schlüssel", "schluessel", "kennzeichen", "kennziffer")
_AMOUNTS = {
    *(
        "amount",
        "price",
        "cost",
        "costs",
        "revenue",
        "turnover",
        "salary",
        "fee",
        "balance",
        "payment",
        "paid",
        "charge",
        "charges",
    ),
    *(
        "umsatz",
        "betrag",
        "preis",
        "kosten",
        "gehalt",
        "gebühr",
        "saldo",
        "entgelt",
        "prix",
        "montant",
        "importe",
        "precio",
    ),
    *("eur", "usd", "gbp", "chf", "euro", "euros", "dollars"),
}
_IDENTIFIERS = {
    *(
        "id",
        "ids",
        "key",
        "uuid",
        "guid",
        "uid",
        "number",
        "no",
        "num",
        "nr",
        "nummer",
        "identifier",
        "symbol",
        "ref",
        "reference",
    ),
    *(
        "kennung",
        "kürzel",
        "code",
        "pk",
        "sku",
        "isin",
        "iban",
        "ean",
        "isbn",
        "ticker",
        "iata",
        "icao",
        "iso",
        "alpha",
    ),
}
_BIRTH = {
    "birth",
    "birthday",
    "birthdate",
    "born",
    "dob",
    "geburt",
    "geburtsdatum",
    "geburtstag",
    "geboren",
    "naissance",
    "nacimiento",
}
_NAMES_OF_PERSONS = {
    *("firstname", "lastname", "surname", "forename", "middlename", "maidenname", "fullname"),
    *("vorname", "nachname", "familienname", "rufname", "geburtsname", "prénom", "prenom", "apellido", "apellidos"),
}
_NAME_PAIRS = {
    *(("first", "name"), ("last", "name"), ("middle", "name"), ("given", "name"), ("family", "name"), ("full", "name")),
    *(
        ("maiden", "name"),
        ("birth", "name"),
        ("patient", "name"),
        ("customer", "name"),
        ("employee", "name"),
        ("member", "name"),
    ),
    *(
        ("person", "name"),
        ("contact", "name"),
        ("owner", "name"),
        ("student", "name"),
        ("name", "first"),
        ("name", "last"),
    ),
}
_PERSONS = {
    "patient",
    "person",
    "citizen",
    "member",
    "insured",
    "student",
    "employee",
    "versicherten",
    "personal",
    "mitarbeiter",
    "kunden",
}
_NUMBERS = {"id", "number", "no", "nr", "num", "nummer"}
_NUMBERS_OF_PERSONS = {
    *(
        "ssn",
        "passport",
        "personnummer",
        "steuerid",
        "personalnummer",
        "versichertennummer",
        "sozialversicherungsnummer",
    ),
    *("mitarbeiternummer", "patientennummer", "matrikelnummer", "ausweisnummer", "dni", "nif", "cpf", "nhs"),
}
_CONTACTS = {
    "email",
    "mail",
    "phone",
    "telephone",
    "telefon",
    "mobile",
    "handy",
    "street",
    "straße",
    "strasse",
    "address",
    "adresse",
}

_DIHEDRAL = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTED = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def is_code(header: str, longest: int) -> bool:
    """Whether a header is that of codes, with which nobody computes, when they have up to so many digits.

    Phones may also be counted, which gives fewer digits than a number has.
    """
    words = words_of(header)
    if longest >= _DIGITS_OF_PHONES and not _PHONES.isdisjoint(words):
        return True
    return any(word in _CODES or word.endswith(_CODE_ENDINGS) for word in words)


def is_amount(header: str) -> bool:
    """Whether a header is that of money."""
    return not _AMOUNTS.isdisjoint(words_of(header))


def is_identifier(header: str) -> bool:
    """Whether a header is that of numbers or codes by which things are known."""
    words = words_of(header)
    return any(word in _IDENTIFIERS or word.endswith(("id", "nummer", "nr")) for word in words[-2:] + words[:1])


def digits_of_codes(texts: Sequence[str]) -> str:
    """Which check digit all of these whole numbers have: empty when there is none, or they are too few to tell.

    SNOMED CT: Verhoeff (J. Verhoeff, Error Detecting Decimal Codes, 1969) over 6 to 18 digits; EAN, UPC, GTIN and
    ISBN-13: GS1 General Specifications 7.9. One number in ten fits by chance.
    """
    if len(texts) < 8:
        return ""
    if all(re.fullmatch("[1-9][0-9]{5,17}", text) for text in texts) and all(map(_has_verhoeff, texts)):
        return "SNOMED CT"
    if all(re.fullmatch("[0-9]{8}|[0-9]{12,14}", text) for text in texts) and all(map(_has_gs1, texts)):
        return "EAN or GTIN"
    return ""


def _has_verhoeff(text: str) -> bool:
    check = 0
    for at, digit in enumerate(reversed(text)):
        check = int(_DIHEDRAL[check][int(_PERMUTED[at % 8][int(digit)])])
    return check == 0


def _has_gs1(text: str) -> bool:
    weighted = (int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(text)))
    return sum(weighted) % 10 == 0


def said_of_persons(headers: Sequence[str]) -> dict[int, tuple[str, bool]]:
    """By position of the column what it seems to say of a person, and whether a person has to decide that.

    `name` alone is that of a person only where other columns are about one.
    """
    found: dict[int, tuple[str, bool]] = {}
    words = [words_of(header) for header in headers]
    for at, of_header in enumerate(words):
        what = _said(of_header)
        if what:
            found[at] = (what, False)
    is_about_persons = any(
        what in ("a date of birth", "the name of a person", "the number of a person") for what, _ in found.values()
    )
    for at, of_header in enumerate(words):
        if at not in found and of_header[-1:] in (["name"], ["names"]) and len(of_header) == 1 and is_about_persons:
            found[at] = ("a name, beside columns about persons", False)
        elif at not in found and (of_header == ["name"] or "contact" in of_header or "owner" in of_header):
            found[at] = ("a name", True)
        elif at not in found and not _CONTACTS.isdisjoint(of_header):
            found[at] = ("a way to reach somebody", not is_about_persons)
    return found


def _said(words: Sequence[str]) -> str:
    pairs = {*pairwise(words)}
    if not _BIRTH.isdisjoint(words) and ("birth", "rate") not in pairs and ("birth", "name") not in pairs:
        return "a date of birth"
    if not _NAMES_OF_PERSONS.isdisjoint(words) or pairs & _NAME_PAIRS:
        return "the name of a person"
    if not _NUMBERS_OF_PERSONS.isdisjoint(words) or any(a in _PERSONS and b in _NUMBERS for a, b in pairs):
        return "the number of a person"
    return ""
