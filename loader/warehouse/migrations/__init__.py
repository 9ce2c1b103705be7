"""Forward revisions of the `meta` schema, applied by `loader migrate`."""
