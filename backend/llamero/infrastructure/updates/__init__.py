"""Looks for newer releases: a signed feed, read over https alone. Nothing here installs or starts anything."""
