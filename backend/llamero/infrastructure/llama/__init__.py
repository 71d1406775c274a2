"""llama-server as seen from outside: its executable, flags, process and HTTP surface."""
