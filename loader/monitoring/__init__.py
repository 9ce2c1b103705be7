"""What was done, when and with which result."""

from loader.monitoring.audit import RUN_ID, Auditor, Step

__all__ = ["RUN_ID", "Auditor", "Step"]
