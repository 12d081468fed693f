"""Short programs on `import vie_tf`."""
