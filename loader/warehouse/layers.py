"""The layers of the warehouse, by the names of their schemas."""

LAYERS = ("stage", "core", "mart")
"""In the order of a build; each has a gate."""

SCHEMAS = ("meta", *LAYERS)
