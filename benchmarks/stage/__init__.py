"""A text file into stage, against peers."""
