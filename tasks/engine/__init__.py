"""What new tasks are built of: backgrounds, sites, places, rules and functions.

The study's own two datasets come from `tasks.generate`, bit for bit; whatever is here is drawn from
uniform numbers alone (`draws`), so that another machine, Python or numpy draws the same.
"""
