"""What only the packages for Windows need."""
