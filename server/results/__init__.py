"""A release as people see it: read, charted, said in words, exported, verified. For HR, holders, auditors and staff alike."""
