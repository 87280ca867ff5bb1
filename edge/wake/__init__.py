"""When does the assistant listen?

Wake words, and other ways to get its attention.
"""
