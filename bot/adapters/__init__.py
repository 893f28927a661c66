"""What speaks to the world; each room keeps the promises of one port."""
