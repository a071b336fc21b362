"""A run: its plan, its jobs, and what is recorded of them."""
