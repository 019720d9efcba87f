"""Tests of the handlers' desk, one file an action."""
