"""What each tower may see: features of items and histories of visitors, as arrays.

Fitted on the training split only; knows no PyTorch, so serving uses the same code.
"""
