"""What works on a machine, and scripts that start jobs on clusters of them."""
