"""The root of the errors that a command ends with; their text is a sentence for the person who typed it."""


class TrackerError(Exception):
    """Something a person can understand and mend; see the subclasses."""
