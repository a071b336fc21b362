"""Displays of a run, for tests."""


class Silent:
    """A display that shows nothing."""

    def note(self, *_):
        pass

    begin = event = end = note
