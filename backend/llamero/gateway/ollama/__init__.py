"""The dialect of Ollama's API, translated to and from the one chat path."""
