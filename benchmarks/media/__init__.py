"""The media campaign: whole files of unusual build, and whether the program's results of them are right.

Nothing in them is damaged. Channel layouts, changes of parameters in mid-stream, late streams, indexes that lie, frame
rates, equal names and odd containers: each kind has a module that makes its cases (`KINDS` in `benchmarks.media.kinds`).
Pictures and sounds are drawn so that a clip tells by itself what became of it (`film`); `clip_signs` reads it,
`verdict` judges it, `batches` runs the program. Started by `benchmarks.faults`.
"""
