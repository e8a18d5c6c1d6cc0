"""Files and feeds in and out. Each importer streams, reports every refused row, and may be killed at any moment."""
