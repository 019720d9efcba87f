"""What is typeset and printed: letters, slips, posters, minutes, reports."""
