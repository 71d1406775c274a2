"""Every side effect: processes, sockets, files, clocks and hardware. Imports `models` and nothing above."""
