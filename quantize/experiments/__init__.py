"""What is each part of a recipe worth?

Ablations and zero-shot transfer.
"""
