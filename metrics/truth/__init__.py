"""What each base of a synthetic sequence is."""
