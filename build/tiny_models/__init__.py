"""The parts from which `make_models.py` builds the project's test models. Nothing here is learned or downloaded."""
