"""The media campaign: whole files of unusual build, and whether the program's results of them are right.

The kinds are channel layouts, changes of parameters in mid-stream, late streams, indexes that lie, frame rates, equal
names and odd containers. Each has a module that makes its cases; `kinds` lists them. Pictures and sounds are drawn so
that a clip shows what became of them (`film`); `clip_signs` reads a clip, `verdict` judges it, `batches` runs the
program. `benchmarks.robustness.faults` starts all of it.
"""
