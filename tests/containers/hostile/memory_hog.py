"""Touch memory without end."""


def build_model(task):
    kept = []
    while True:
        kept.append(bytearray(b"x") * (32 << 20))
