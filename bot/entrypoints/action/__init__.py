"""The GitHub Action: one cycle, or one audit, told to the runner of a job. `action.yml` starts it."""
