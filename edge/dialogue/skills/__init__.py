"""How is a command carried out?

A skill for each family of intents.
"""
