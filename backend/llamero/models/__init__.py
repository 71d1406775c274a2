"""Data only: frozen Structs and the error tree. Imports nothing of ours and does no IO."""
