"""DeepLIFT's multipliers: a rule for each type of operation, and their walk through a graph."""
