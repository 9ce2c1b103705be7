"""From a landed file to a period in stage, and back."""
