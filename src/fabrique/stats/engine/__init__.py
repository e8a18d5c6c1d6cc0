"""The compiled heart of change detection: one series at a time, in machine code, so that a country's worth fits in a minute.

Imported only when a series is examined: numba takes a moment to load.
"""
