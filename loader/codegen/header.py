"""What a derived file says of itself."""

from __future__ import annotations

DERIVED = "derived from datasets_config.yml by `loader derive`; do not edit"
