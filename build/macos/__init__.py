"""What only the package for macOS needs."""
