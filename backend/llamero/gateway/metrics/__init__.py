"""`GET /metrics`: counted while requests pass, written out for Prometheus when it asks."""
