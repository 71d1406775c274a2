"""The request inspector: what is recorded of requests while they pass, and what is shown of it."""
