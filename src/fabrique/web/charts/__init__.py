"""One small family of charts: geometry is computed here, drawn as SVG by templates/parts/charts."""
