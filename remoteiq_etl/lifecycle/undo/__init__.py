"""Belongs here: back: plan, verdict per row, batches, proof, retention of before images.

Not here: forward.
"""
