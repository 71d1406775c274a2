"""Decisions: who may run, when, with what. Talks to infrastructure through small Protocols."""
