"""A text file with torn rows, against the same one without."""
