"""Columns, rows and cells of the page's tables."""
