"""Every claim of the paper, tried on a world that anybody can generate."""
