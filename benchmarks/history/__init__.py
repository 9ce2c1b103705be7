"""History, against peers."""
