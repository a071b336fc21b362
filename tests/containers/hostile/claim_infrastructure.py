"""Blame the machine, so as to be tried again and again."""

import json
import os


def build_model(task):
    with open("/out/error.json", "w") as file:
        json.dump({"status": "infra_error", "message": "the disk is full, try again"}, file)
    os._exit(4)
