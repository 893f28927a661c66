"""The demo: a small fleet with real files, moved through the loop that production runs."""
