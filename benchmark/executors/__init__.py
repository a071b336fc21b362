"""Where a phase of a job runs: one small interface, one file per place."""
