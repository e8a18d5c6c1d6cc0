"""Reads: criteria, reviews, and what is due."""
