"""The only code that runs beside a submission: load, fit, freeze, probe.

Nothing here imports another room of the package, so that this folder alone can be mounted
read-only into a sandbox.
"""
