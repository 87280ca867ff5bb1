"""Sound: files, cards, resampling, gain and end-pointing."""
