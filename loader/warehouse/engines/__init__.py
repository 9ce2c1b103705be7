"""One module per engine: the few things in which they differ. Engines know nothing of datasets' business."""
