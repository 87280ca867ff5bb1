"""What is shipped in a bundle, and is it unharmed?

The file format and its manifest.
"""
