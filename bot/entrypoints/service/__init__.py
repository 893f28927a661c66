"""The long-lived bot: the cycle on a schedule, and pages that tell how it goes."""
