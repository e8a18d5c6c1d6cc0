"""Numbers in, numbers out. Imports numpy, scipy, the standard library and (in `engine`) numba; nothing of ours.

`measurements` turns counts into levels with their precision; `limits` draws the control chart; `changes` says what
moved in one series, `batch` in many at once, `portfolio` which of it may be told.
"""
