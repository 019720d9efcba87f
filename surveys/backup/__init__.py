"""Backups: one moment of the four stores and of what must lie beside them, sealed to age keys; and what is put back."""
