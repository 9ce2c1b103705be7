"""dbt layer by layer, with the gate of each."""
