"""What the steps need from the world, as small protocols; adapters keep these promises, dry runs wrap them."""
