"""What commands that use the network have in common: their options, and how long they wait."""

from __future__ import annotations

# What a client without a time limit waits, at most, in seconds.
PATIENCE = 130.0


def seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.01), PATIENCE)
    except ValueError:
        return PATIENCE


def option_words(args: list[str], with_value: frozenset[str]) -> list[tuple[str, str]]:
    """Options with their values, operands under the empty name."""
    found, words = [], list(args)
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, text = word[2:].partition("=")
            if not equals and name in with_value and words:
                text = words.pop(0)
            found.append((name, text))
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], 1):
                if letter in with_value:
                    found.append((letter, word[at + 1 :] or (words.pop(0) if words else "")))
                    break
                found.append((letter, ""))
        else:
            found.append(("", word))
    return found
