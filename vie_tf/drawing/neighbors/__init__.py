"""What pages of queries and their nearest videos share."""
