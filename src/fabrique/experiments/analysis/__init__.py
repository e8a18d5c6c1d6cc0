"""From a plan and its data to what they show: readings, looks, health, a verdict by rules. Pure, and the same bit for bit each time."""
