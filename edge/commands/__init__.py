"""What can a user type?

The ``edge`` command line, a file for each command.
"""
