"""The documentation, with the pages of a warehouse and of its gates."""
