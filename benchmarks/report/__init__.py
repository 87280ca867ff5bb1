"""What was measured, and what changed?

The JSON report and its forms, intervals and comparisons.
"""
