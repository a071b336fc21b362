"""Leave a process behind and go."""

import os
import time


def build_model(task):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(987.25)
        os._exit(0)
    time.sleep(0.5)
    os._exit(0)
