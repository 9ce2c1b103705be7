"""What tests share: engines, deliveries, small projects, processes."""
