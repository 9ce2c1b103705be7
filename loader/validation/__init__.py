"""Text cells to typed rows and rejects; pure but for the files that it writes."""

from loader.validation.clean import clean_delivery
from loader.validation.header import match_header
from loader.validation.outcome import Outcome, judge_rows

__all__ = ["Outcome", "clean_delivery", "judge_rows", "match_header"]
