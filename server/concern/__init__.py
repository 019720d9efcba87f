"""What several audiences show of the concern channel."""
