"""What only the making of a release needs."""
