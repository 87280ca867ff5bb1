"""How does a user's command file become a bundle?

Alone, or added to a home bundle.
"""
