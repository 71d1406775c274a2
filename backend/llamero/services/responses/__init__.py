"""Responses that are kept, so that a program need not send a conversation again with each turn."""
