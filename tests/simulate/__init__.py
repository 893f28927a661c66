"""A quarter of a fleet on a virtual clock, with the real rules of plan, rollout and deployment; not shipped."""
