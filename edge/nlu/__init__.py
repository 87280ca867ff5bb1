"""What does the text ask for?

The student, its program, decoding, and the values behind the words.
"""
