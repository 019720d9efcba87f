"""What the command line does, one module for each part of the work."""
