"""Evaluation by training on labels: linear probes and fine-tuning."""
