"""The study: its published numbers, its claims, its grid."""
