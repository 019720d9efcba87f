"""Files of others become plain rows here: people, and exported responses. Touches no store."""
