"""Files that nobody should ever send, through every reader and all the way into a notebook.

hypothesis makes them. atheris would be guided by coverage, but has no wheel for macOS or for ARM,
where everybody who clones this would need a compiler; every promise here takes plain bytes, so it
can be driven by any fuzzer.
"""
