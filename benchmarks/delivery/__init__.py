"""From landing to a gated mart."""
