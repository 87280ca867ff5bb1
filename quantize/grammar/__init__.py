"""Which sentences does the recognizer expect?

Compiles templates to the automata that the device runs.
"""
