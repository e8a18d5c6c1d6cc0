"""What was observed: counts by day and arm, units, series; typed and checked against the plan.

Pure, but for `folder`, which reads files.
"""
