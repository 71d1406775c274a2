"""The public HTTP surface that other programs talk to."""
