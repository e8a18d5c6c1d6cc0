"""Pages that look across domains: home, portfolio, a product's and a service's home."""
