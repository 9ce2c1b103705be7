"""Text cells to typed rows and rejects; pure but for the files that it writes."""

from loader.validation.clean import Outcome, clean_delivery, judge_rows
from loader.validation.header import match_header

__all__ = ["Outcome", "clean_delivery", "judge_rows", "match_header"]
