"""What every page stands in: its shell, words, days, signed-in people, headers, static files, faults without a trace."""
