"""Sample deliveries of a health insurer (ACA): members, plans, providers, enrollments monthly; claim lines every day.

Nobody in them exists. Names come from Faker; telephone numbers are of the exchange 555-01xx, which the North American
numbering plan keeps for fiction; e-mail domains from RFC 2606. Provider numbers are well-formed but nobody's: the
standard lets them begin with 1 or 2, and all that were ever given out begin with 1, these with 2. Issuers and their
HIOS ids are invented. Cities, counties and ZIP codes of Florida are real; its rating areas are fewer here.

A month passes in two steps, as in the register of citizens: the insurer's world changes (`world`), then a clerk exports
it with the faults of public files (`files`). A day of claims (`claims`) follows from the months around it and from
draws of its own, so that it can be made alone.
"""

from loader.samples.data.aca.deliveries import make_day, make_deliveries
from loader.samples.data.aca.world import Sample

__all__ = ["Sample", "make_day", "make_deliveries"]
