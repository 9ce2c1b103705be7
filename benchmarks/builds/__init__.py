"""Builds, node by node."""
