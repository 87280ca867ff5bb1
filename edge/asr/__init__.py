"""Which words were said?

An adapter for each recognizer, and the search that follows the grammar of the commands.
"""
