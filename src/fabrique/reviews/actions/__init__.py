"""What changes criteria and reviews: one verb, one transaction, one line in the trail."""
