"""Sample deliveries: of a register of citizens, and of a health insurer on the marketplace of the Affordable Care Act.

Everything in them is made up, and the same arguments give the same bytes, so that a delivery made twice is the same
delivery.
"""
