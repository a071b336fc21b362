"""What is read off a frozen network."""
