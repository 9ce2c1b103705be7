"""The catalogue of broken deliveries, by class. `python -m tests.broken` prints it."""

from tests.broken import containers, forms, headers, texts, values

CLASSES = {
    "damaged container": containers.CASES,
    "wrong form": forms.CASES,
    "wrong header": headers.CASES,
    "wrong text": texts.CASES,
    "wrong values": values.CASES,
}
