"""What changes along a sweep of the sampling temperature."""
