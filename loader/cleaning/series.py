"""How a rule over Arrow values becomes a rule over pandas Series.

A rule is written over one Arrow array of strings and decorated with `series_rule`. It returns either the
cleaned array, or the pair (cleaned array, boolean array that is true where the value is acceptable). pandas
and pyarrow are imported when a rule runs: naming a rule in a contract costs nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Cleaned(NamedTuple):
    """What a rule returns.

    values: Series of the same index, length and dtype as the input. Null stays null; a value of which nothing
        remains (an empty string) becomes null; a rejected value stays as it came, so that it can be shown.
    invalid: Series of bool without nulls over the same index, true where the value is rejected; None for a
        rule that never rejects.
    """

    values: "pd.Series"
    invalid: "pd.Series | None"


def series_rule(over_arrow: Callable[..., Any]) -> Callable[..., Cleaned]:
    """Turn a rule over an Arrow large_string array into a rule over a Series with Arrow-backed strings.

    Raises TypeError when the Series does not hold Arrow-backed strings.
    """

    @wraps(over_arrow)
    def over_series(values: "pd.Series", **options: Any) -> Cleaned:
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        arrived = _arrow_strings(values)
        result = over_arrow(arrived, **options)
        cleaned, acceptable = result if isinstance(result, tuple) else (result, None)
        cleaned = pc.if_else(pc.equal(cleaned, ""), pa.scalar(None, pa.large_string()), cleaned)
        if acceptable is None:
            return Cleaned(_like(values, cleaned), None)

        rejected = pc.and_(pc.is_valid(cleaned), pc.invert(pc.fill_null(acceptable, False)))
        invalid = pd.Series(rejected.to_numpy(zero_copy_only=False), index=values.index, name=values.name)
        return Cleaned(_like(values, pc.if_else(rejected, arrived, cleaned)), invalid)

    return over_series


def map_distinct(values: "pa.Array", selected: "pa.Array", function: Callable[[str], str | None]) -> "pa.Array":
    """Replace the selected values by `function(value)`, called once for each distinct value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    selected = pc.fill_null(selected, False)
    chosen = values.filter(selected)
    distinct = chosen.unique()
    mapped = pa.array([function(value) for value in distinct.to_pylist()], type=values.type)
    return pc.replace_with_mask(values, selected, mapped.take(pc.index_in(chosen, distinct)))


def _arrow_strings(values: "pd.Series") -> "pa.Array":
    import pyarrow as pa

    to_arrow = getattr(values.array, "__arrow_array__", None)
    arrow = to_arrow() if to_arrow else None
    if arrow is None or not (pa.types.is_string(arrow.type) or pa.types.is_large_string(arrow.type)):
        raise TypeError(f"cleaning needs a Series of Arrow-backed strings, got dtype {values.dtype}")
    wide = arrow.cast(pa.large_string())
    return wide.combine_chunks() if isinstance(wide, pa.ChunkedArray) else wide


def _like(values: "pd.Series", cleaned: "pa.Array") -> "pd.Series":
    import pandas as pd
    import pyarrow as pa

    # an ArrowDtype names one exact Arrow type, a pandas StringDtype takes any
    arrow = cleaned.cast(getattr(values.dtype, "pyarrow_dtype", cleaned.type))
    array = values.dtype.__from_arrow__(pa.chunked_array([arrow]))  # type: ignore[union-attr]
    return pd.Series(array, index=values.index, name=values.name)
