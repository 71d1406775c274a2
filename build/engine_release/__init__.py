"""Bundles llama-server as llama.cpp's releases have it. `build/engines.py` is the way in."""
