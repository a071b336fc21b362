"""What the filters of the first layer hold."""
