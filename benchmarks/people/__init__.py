"""What does the assistant do when people speak to it in their own words?

Cases, how the device and its peers run them, and their results.
"""
