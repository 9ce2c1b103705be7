"""The parquet files of every delivery: how they are named, written, published, compared and queried."""

from loader.archive.names import UNKNOWN, Stem, file_stem, unknown_beside

__all__ = ["UNKNOWN", "Stem", "file_stem", "unknown_beside"]
