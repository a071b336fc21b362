"""The table of results, the ranking of models, and queries over them."""
