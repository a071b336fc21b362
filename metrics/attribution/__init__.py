"""Whether attribution maps point at the truth, and come from the network."""
