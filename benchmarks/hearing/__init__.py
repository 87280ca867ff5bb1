"""How well is speech heard?

Recordings, noise, end-pointing and wake words.
"""
