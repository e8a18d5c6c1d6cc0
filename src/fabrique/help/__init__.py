"""How fabrique is used by programs: its API described for them (OpenAPI) and for whoever writes them (a page)."""
