"""Costs of the memory bank: its searches, its clustering, and their growth."""
