"""HTTP to servers that speak OpenAI elsewhere."""
