"""Small work, as it is done many times a day."""
