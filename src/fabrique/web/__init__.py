"""What every page shares: visits, rendering, errors, security headers, static files, formats, charts."""
