"""What moved: the ledger of checks, detection, flags and the events around them."""
