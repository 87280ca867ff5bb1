"""The Python interface: a loaded bundle that understands text."""

from __future__ import annotations

from edge import compose
from edge.protocols import Parser
from edge.types import Home, Parse, Transcript


class TextParser:
    """Understands commands in the home that it was loaded for."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def parse(self, text: str | Transcript) -> Parse:
        """What the text means; a text that is not a command gives a parse without an intent."""
        return self._parser.parse(Transcript(text) if isinstance(text, str) else text)


def load(
    bundle: str = "home", *, home: str | Home | None = None, language: str | None = None, allow_unsigned: bool = False
) -> TextParser:
    """Load a bundle that understands text.

    Args:
        bundle: Name (``home``, ``massive-en``), folder or ``.edge`` file.
        home: Connected home by name, home file, or a home; the demo home without one.
        language: Language of the commands; without one it is found from the words.
        allow_unsigned: Load a bundle that nobody trusted has signed.

    Raises:
        EdgeError: The bundle or the home cannot be used; the message says what to do.
    """
    opened = compose.bundle(bundle, allow_unsigned)
    of_home = home if isinstance(home, Home) else compose.home(home)
    return TextParser(compose.parser(opened, of_home, language))
