"""Memory banks that several devices divide, and which bank a run gets."""
