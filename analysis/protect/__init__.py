"""Which views to show: the least that must be hidden so that nobody's group is pinned."""
