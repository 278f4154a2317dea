"""Who trains and who is scored: folds, copies, groups, the ledger."""
