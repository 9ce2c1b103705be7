"""The demos: sample deliveries to a finished warehouse, and what is worth looking at in it."""
