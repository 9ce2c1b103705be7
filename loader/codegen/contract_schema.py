"""The JSON schema by which editors check and complete a contract."""

from __future__ import annotations

import json

from loader.cleaning import rules_schema
from loader.contracts import Contracts


def contract_schema() -> str:
    """What a contract may say, as JSON schema; the same for every project."""
    schema = Contracts.model_json_schema()
    schema["$defs"]["Column"]["properties"]["clean"]["items"] = rules_schema()
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "written by `loader derive` from loader/contracts/; do not edit",
    }
    return json.dumps(head | schema, indent=1, ensure_ascii=False) + "\n"
