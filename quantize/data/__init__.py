"""Which labelled utterances are there, and how well were they understood?

Data sets, their downloads, and the metrics of the MASSIVE paper.
"""
