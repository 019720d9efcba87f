"""What the machines of an operator ask, and what people are told while a store is away."""
