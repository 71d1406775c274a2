"""Llamero: run language models on your own machine. Kept empty of imports, so that child processes start fast."""

__version__ = "0.1.0"
