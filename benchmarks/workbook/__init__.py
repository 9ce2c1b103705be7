"""Workbooks and telephone numbers."""
