"""How likely a move is that is drawn before a figure is printed."""

from analysis.moves import Law


def probability(law: Law, move: int) -> float:
    """Of one move; 0 beyond the widest."""
    return law.weights[move + law.most] / sum(law.weights) if abs(move) <= law.most else 0.0
