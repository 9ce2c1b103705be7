"""The parquet files of every delivery: how they are named, written, published, compared and queried."""

from loader.archive.names import Stem, file_stem
from loader.archive.parquet import SOURCE_ROW, cleaned_schema, copy_without, parquet_file

__all__ = ["SOURCE_ROW", "Stem", "cleaned_schema", "copy_without", "file_stem", "parquet_file"]
