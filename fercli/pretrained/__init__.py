"""The small network that ships with the package, as data: `model.json`, `weights.safetensors`, `model_card.md`."""
