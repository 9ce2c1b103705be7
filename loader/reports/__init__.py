"""What people read: the state of the warehouse, pivots of the mart, the site."""
