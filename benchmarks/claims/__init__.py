"""Claim lines, day by day."""
