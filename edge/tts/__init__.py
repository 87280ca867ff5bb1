"""How is a reply spoken?

An adapter for each voice engine, and the cutting of replies into sentences.
"""
