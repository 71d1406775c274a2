"""What `llamero NAME` does, one module for each name. Above the composition root and below `cli`, which imports these
only when one is asked for."""
