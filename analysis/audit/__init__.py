"""The attacker: what follows from what is shown. It knows nothing of how it was chosen, and passes only what it has seen."""
