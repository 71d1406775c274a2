"""What the two HTTP surfaces have in common: who is let in, limits, connections, errors. Knows neither of them."""
