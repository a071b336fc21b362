"""Containers: images, the sandbox policy, and the executor that runs a phase inside one.

Nothing outside this room imports the docker SDK, and this room imports it only when it is used.
"""
