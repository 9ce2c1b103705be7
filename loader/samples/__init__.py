"""Sample deliveries, and the demos."""
