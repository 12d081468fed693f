"""What training gives on small collections, beside embeddings that learned nothing."""
