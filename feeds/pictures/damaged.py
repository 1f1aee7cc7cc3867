"""The error of all types of pictures."""


class DamagedPicture(ValueError):
    """A file begins like a picture and is not a valid one; the text can be that of a Problem."""
