"""A network as a frozen graph: made, described and run."""
