"""Where members and providers live: cities, counties and ZIP codes of Florida, and the rating areas of the sample.

Florida makes every county a rating area of its own; here its counties are put together into six.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

AREAS = 6
STATE = "FL"


class Place(NamedTuple):
    """A ZIP code; `area` is the rating area from 1, or 0 outside the state."""

    postal_code: str
    city: str
    county: str
    state: str
    area: int


_COUNTIES: dict[str, tuple[int, int, dict[str, str]]] = {
    # county: (rating area, share of the members in thousandths, ZIP codes by city)
    "Miami-Dade": (
        1,
        270,
        {
            "Miami": "33125 33130 33135 33142 33155 33176 33186",
            "Hialeah": "33010 33012 33016",
            "Homestead": "33030 33033",
            "Miami Beach": "33139 33140",
        },
    ),
    "Monroe": (1, 10, {"Key West": "33040"}),
    "Broward": (
        2,
        150,
        {
            "Fort Lauderdale": "33301 33304 33311",
            "Hollywood": "33019 33020 33024",
            "Pembroke Pines": "33026 33028",
            "Coral Springs": "33065 33071",
        },
    ),
    "Palm Beach": (
        2,
        90,
        {
            "West Palm Beach": "33401 33405 33407",
            "Boca Raton": "33431 33432",
            "Boynton Beach": "33426 33435",
        },
    ),
    "Hillsborough": (3, 90, {"Tampa": "33602 33604 33612 33614", "Brandon": "33510 33511"}),
    "Pinellas": (3, 50, {"St. Petersburg": "33701 33705 33710", "Clearwater": "33755 33756"}),
    "Pasco": (3, 25, {"New Port Richey": "34652 34653"}),
    "Orange": (4, 95, {"Orlando": "32801 32805 32808 32822"}),
    "Osceola": (4, 35, {"Kissimmee": "34741 34744"}),
    "Seminole": (4, 20, {"Sanford": "32771 32773"}),
    "Polk": (4, 30, {"Lakeland": "33801 33805"}),
    "Duval": (5, 45, {"Jacksonville": "32204 32207 32210 32218"}),
    "St. Johns": (5, 8, {"St. Augustine": "32084 32086"}),
    "Leon": (5, 10, {"Tallahassee": "32301 32303"}),
    "Alachua": (5, 9, {"Gainesville": "32601 32607"}),
    "Escambia": (5, 10, {"Pensacola": "32501 32505"}),
    "Lee": (6, 25, {"Fort Myers": "33901 33907", "Cape Coral": "33904 33909"}),
    "Collier": (6, 12, {"Naples": "34102 34109"}),
    "Sarasota": (6, 9, {"Sarasota": "34231 34236"}),
    "Manatee": (6, 7, {"Bradenton": "34205 34208"}),
}

HOMES: list[Place] = []
"""Where members live."""
_shares: list[float] = []
for _county, (_area, _share, _cities) in _COUNTIES.items():
    _places = [Place(code, city, _county, STATE, _area) for city, codes in _cities.items() for code in codes.split(" ")]
    HOMES += _places
    _shares += [_share / len(_places)] * len(_places)
HOME_SHARES = np.array(_shares)

# laboratories and mail-order pharmacies, whose ZIP codes begin with the zero that spreadsheets lose
FAR_AWAY = [
    Place("08869", "Raritan", "Somerset", "NJ", 0),
    Place("07094", "Secaucus", "Hudson", "NJ", 0),
    Place("01752", "Marlborough", "Middlesex", "MA", 0),
    Place("02118", "Boston", "Suffolk", "MA", 0),
]

PLACES = [*HOMES, *FAR_AWAY]
AREA_OF_PLACE = np.array([place.area for place in PLACES], np.int8)
AREA_CODES = ["305", "786", "954", "561", "813", "727", "407", "321", "904", "850", "352", "239", "941"]
"""Of telephone numbers in Florida."""
