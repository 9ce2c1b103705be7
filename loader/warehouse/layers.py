"""The layers of the warehouse, by the names of their schemas. dbt has the same names."""

META, STAGE, CORE, MART = "meta", "stage", "core", "mart"

LAYERS = (STAGE, CORE, MART)
"""In the order of a build; each has a gate."""

SCHEMAS = (META, *LAYERS)
