"""Which speech models do others publish, and how do they get here?

The catalog, downloads and unpacking.
"""
