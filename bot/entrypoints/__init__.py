"""Ways in: the command line, its documents, tables and pages, and the demo."""
