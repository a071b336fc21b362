"""Training: the task's recipe, alone and many trials at once."""
