"""Print without end, terminal escapes included."""


def build_model(task):
    while True:
        print("\x1b[2J\x1b]0;owned\x07" + "y" * 4000)
