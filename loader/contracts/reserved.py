"""Words that an engine takes for its own where a name stands without quotes.

A contract may go to any engine, and people write models without quotes: a name is none of these words on any of them.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DUCKDB = _words("""
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast
    check collate collation column concurrently constraint create cross default deferrable desc describe
    distinct do else end except false fetch for foreign freeze from full glob group having ilike in initially
    inner intersect into is isnull join lambda lateral leading left like limit natural not notnull null offset
    on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references
    returning right select semi show similar some summarize symmetric table tablesample then to trailing true
    union unique unpack unpivot using variadic verbose when where window with
""")
"""DuckDB 2.0: duckdb_keywords(), of the categories reserved and type_function alone."""

POSTGRES = _words("""
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into
    is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on
    only or order outer overlaps placing primary references returning right select session_user similar some
    symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when
    where window with
""")
"""PostgreSQL 18: pg_get_keywords(), of the categories R and T."""

SQLSERVER = _words("""
    add all alter and any as asc authorization backup begin between break browse bulk by cascade case check
    checkpoint close clustered coalesce collate column commit compute constraint contains containstable continue
    convert create cross current current_date current_time current_timestamp current_user cursor database dbcc
    deallocate declare default delete deny desc disk distinct distributed double drop dump else end errlvl
    escape except exec execute exists exit external fetch file fillfactor for foreign freetext freetexttable
    from full function goto grant group having holdlock identity identity_insert identitycol if in index inner
    insert intersect into is join key kill left like lineno load merge national nocheck nonclustered not null
    nullif of off offsets on open opendatasource openquery openrowset openxml option or order outer over percent
    pivot plan precision primary print proc procedure public raiserror read readtext reconfigure references
    replication restore restrict return revert revoke right rollback rowcount rowguidcol rule save schema
    securityaudit select semantickeyphrasetable semanticsimilaritydetailstable semanticsimilaritytable
    session_user set setuser shutdown some statistics system_user table tablesample textsize then to top tran
    transaction trigger truncate try_convert tsequal union unique unpivot update updatetext use user values
    varying view waitfor when where while with writetext
""")
"""SQL Server: Reserved Keywords (Transact-SQL), the list of the engine itself, without those of ODBC and the future."""

SYSTEM_COLUMNS = _words("cmax cmin ctid tableoid xmax xmin")
"""Columns that every table of PostgreSQL has already."""

RESERVED = DUCKDB | POSTGRES | SQLSERVER | SYSTEM_COLUMNS
