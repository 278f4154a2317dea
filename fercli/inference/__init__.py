"""From any trained run or file to scores."""
