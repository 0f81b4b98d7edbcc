"""dothi: the operations centre of a smart province as one open program."""

__version__ = "0.1.0"
