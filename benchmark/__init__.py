"""Motifidelity: does a genomic network's accuracy rest on representations that can be trusted?"""

__version__ = "0.1.0"
