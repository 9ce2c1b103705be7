"""Almanac's loader: checks each delivered file and replaces its period in `stage`, in one transaction."""
