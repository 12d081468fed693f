"""The scenes of rendered worlds: ground, background, light, shadows and things."""
