"""The sigmoid back-propagation network as a stack of networks, its training and its pruning."""
