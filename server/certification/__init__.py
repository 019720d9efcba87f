"""Evidence and perception beside each other: the scorecard."""
