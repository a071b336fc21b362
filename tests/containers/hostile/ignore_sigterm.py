"""Ignore every signal that can be ignored."""

import signal
import time


def build_model(task):
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    print("deaf", flush=True)
    while True:
        time.sleep(1)
