"""One skill per family of intents."""
