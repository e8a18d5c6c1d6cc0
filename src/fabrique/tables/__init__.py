"""Tables and numbers as people write them: which encoding, which separator, which decimal mark. Known to every importer; and the way out,
as CSV and ODS, for every list. Neither knows of the web: the command line writes the same files.
"""
