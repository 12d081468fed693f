"""What is in a data set: counts, histograms, a contact sheet, and checks."""
