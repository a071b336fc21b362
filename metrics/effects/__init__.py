"""Whether a network knows how much each site, and each letter, is worth."""
