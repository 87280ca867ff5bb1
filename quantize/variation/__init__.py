"""How do people say it differently, and what do they say that is not a command?

Sentences made from other sentences, and other talk.
"""
