"""What `import vie_tf` offers: runs, data sets and indexes as objects of Python."""
