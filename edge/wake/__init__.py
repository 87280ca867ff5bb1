"""Wake words and other ways to get the assistant to listen."""
