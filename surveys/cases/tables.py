"""The cases store. It is a database of its own from the first day, so that a case never shares a file with an answer."""
