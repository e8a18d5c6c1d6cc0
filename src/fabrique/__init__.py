"""fabrique follows digital public services from investigation to scale-up, and says what moved."""

__version__ = "0.1.0"
