"""Pictures of meshes: cameras, and the renderer of pybullet."""
