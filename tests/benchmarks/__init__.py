"""Speed and size, measured on whole processes; run by `make bench`, never a timed test."""
