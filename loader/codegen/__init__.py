"""Files that are written from a contract, and committed."""
