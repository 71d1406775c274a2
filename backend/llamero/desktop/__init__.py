"""The window: a browser engine that shows the page of our own loopback server, and nothing else."""
