"""The life of a wave: plan, open, end, close, release. The only place where people and answers meet."""
