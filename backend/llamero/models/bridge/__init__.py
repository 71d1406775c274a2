"""What crosses the bridge: the arguments and results of every command, and everything that is pushed.

The JavaScript types are generated from these Structs. Times are seconds since the epoch.
"""
