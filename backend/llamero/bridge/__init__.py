"""The Python API that the page calls: typed commands, and one connection on which everything pushed arrives."""
