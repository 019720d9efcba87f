"""The invented cooperative: made through the same doors as a real one."""
