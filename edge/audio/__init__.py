"""Where does sound come from and where does it go?

Files, sound cards, resampling, gain and end-pointing.
"""
