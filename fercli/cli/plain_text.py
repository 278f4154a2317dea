"""Text on its way to a terminal: names in files may hold what a terminal would obey, or end a line early."""


def plain(text: str, *, lines: bool = False) -> str:
    """The text with everything that is not printable as an escape (`\\x1b`, `\\n`); `lines`: line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or (lines and character in "\n\t")
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
