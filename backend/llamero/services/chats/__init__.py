"""Conversations with models: asking, answers that are saved while they come, and who looks on."""
