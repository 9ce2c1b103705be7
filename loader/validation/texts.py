"""What is done to the texts of a column, whatever they become."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from loader.readers.table import BLANKS


def tidy(cells: pa.StringArray) -> pa.StringArray:
    """Without surrounding spaces of any kind, in Unicode NFC; a cell of spaces only is null."""
    if pc.all(pc.string_is_ascii(cells)).as_py() is not False:
        cells = pc.ascii_trim_whitespace(cells)
    else:
        cells = pc.utf8_normalize(pc.utf8_trim(cells, characters=BLANKS), form="NFC")
    empty = pc.equal(cells, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), cells) if pc.any(empty).as_py() else cells


def by_distinct(cells: pa.StringArray, target: pa.DataType, read: Callable[[str], object]) -> pa.Array:
    """What a Python function makes of each text; it is called once per distinct one."""
    encoded = pc.dictionary_encode(cells)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = pa.array([read(text) for text in encoded.dictionary.to_pylist()], target)
    return values.take(encoded.indices)
