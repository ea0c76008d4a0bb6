"""One module for each format of `--export`: MOT and COCO (research), WebVTT (players), OTIO, EDL and FCPXML (editing).

Frame numbers and times count from the video's first frame, boxes are in display pixels, people are those of the
timeline. Unknown and rejected tracklets are in no export.
"""
