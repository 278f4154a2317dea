"""ResNet variants, their recipes, augmentation, training and checkpoints."""
