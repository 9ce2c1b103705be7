"""A question to the mart in its own names, and its answer as table, text or picture."""
