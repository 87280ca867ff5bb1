"""Which sentences are commands, and what do they mean?

The compiled grammar, its automaton and parser, shared by recognizers, parser and build.
"""
