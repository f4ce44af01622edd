"""How the towers learn: examples, negatives, loss, the loop and its checkpoints."""
