"""Removing the rows of a key, or whole periods, from all that is kept."""
