"""The parquet files of every delivery: how they are named, written, published, compared and queried."""

from loader.archive.names import UNKNOWN, Stem, file_stem, unknown_beside
from loader.archive.parquet import SOURCE_ROW, cleaned_schema, copy_without, key_schema, parquet_file, rows_in

__all__ = [
    "SOURCE_ROW",
    "UNKNOWN",
    "Stem",
    "cleaned_schema",
    "copy_without",
    "file_stem",
    "key_schema",
    "parquet_file",
    "rows_in",
    "unknown_beside",
]
