"""The trusted side: from checked arrays and truth to scores and evidence."""
