"""The model: item, query and user tower. Knows no device, optimizer, file or index."""
