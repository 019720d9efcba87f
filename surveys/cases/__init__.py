"""The cases store: sealed concern reports, their keys wrapped for each reader, states and days. Never clear text."""
