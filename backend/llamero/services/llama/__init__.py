"""The actor that owns what is known about running servers, and the service in front of it."""
