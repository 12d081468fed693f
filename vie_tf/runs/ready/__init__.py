"""Networks that come with the package, trained on generated videos."""
