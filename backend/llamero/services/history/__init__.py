"""The hardware's past: what is kept of it, in which resolutions, and how it is asked for."""
