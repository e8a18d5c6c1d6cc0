"""Tables and numbers as people write them: which encoding, which separator, which decimal mark. Known to every importer."""
