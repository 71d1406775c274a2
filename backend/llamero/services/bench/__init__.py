"""How fast models are: what is measured, how, and what came of it."""
