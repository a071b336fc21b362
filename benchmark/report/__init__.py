"""Tables, plots and pages that are drawn from a registry."""
