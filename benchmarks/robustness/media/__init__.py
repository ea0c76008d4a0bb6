"""The media campaign: intact files of unusual structure, and whether the program's results are right.

The kinds are channel layouts, parameter changes in mid-stream, late streams, wrong indexes, frame rates, equal names,
odd containers, edits and fragments, times and ends. Each has a module that makes its cases; `kinds` lists them. Video
and audio are synthetic, so that a clip shows what happened to each frame and channel (`film`); `clip_signs` reads a
clip, `verdict` judges it, `batches` runs the program. `benchmarks.robustness.faults` runs everything.
"""
