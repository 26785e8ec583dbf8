"""Threshold Top-k: find tau with ``sum F((z - tau) / T) = k``; one backward, many members."""
