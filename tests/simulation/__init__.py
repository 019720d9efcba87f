"""Crashes between any two durable steps, and what is left of them."""
