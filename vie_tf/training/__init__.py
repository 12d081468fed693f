"""The training loop, its step, and the devices that share it."""
