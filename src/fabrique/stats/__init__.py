"""Numbers in, numbers out. Imports numpy, scipy and the standard library; nothing of ours.

`measurements` turns counts into levels with their precision; `limits` draws the control chart; `changes` says what moved.
"""
