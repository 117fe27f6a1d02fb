"""What is said of it, and how anyone checks it."""
