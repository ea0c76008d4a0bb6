"""Videos that flash and beep at the same time, and how far apart the two are in a clip."""

from fractions import Fraction

import av
import numpy as np

FLASHES_S = tuple(0.4 + 0.5 * i for i in range(7))
BEEP_S = 0.1
END_S = 4.0


def frame_times(rate=Fraction(25), *, variable=False, offset_s=0.0):
    """Presentation times of the source's frames, seconds on the container's clock."""
    if not variable:
        return [offset_s + float(i / rate) for i in range(int(END_S * rate))]
    rng = np.random.default_rng(3)
    steps = rng.choice([0.033, 0.067], 200)
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return [offset_s + float(t) for t in times if t < END_S]


def flash_times(times, offset_s=0.0):
    """When the flashes begin: with the first frame at or after each of FLASHES_S."""
    return [
        next(t for t in times if t >= offset_s + flash - 1e-6) for flash in FLASHES_S if times[-1] > offset_s + flash
    ]


def write_video(path, times, *, size=(160, 120), layout="stereo", rate_hz=48000, sound=(0.0, END_S), offset_s=0.0):
    """sound: its first and last second, counted from `offset_s`; None for no sound track."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "12"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 90000)
        audio = None if sound is None else out.add_stream("aac", rate=rate_hz, layout=layout)
        flashes = flash_times(times, offset_s)
        for i, time in enumerate(times):
            lit = any(f <= time < f + BEEP_S for f in flashes)
            luma = np.full((size[1], size[0]), 230 if lit else 30, np.uint8)
            luma[:8] = 16 + (i % 64) * 3  # tells frames apart
            picture = np.concatenate([luma.ravel(), np.full(size[0] * size[1] // 2, 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(picture.reshape(-1, size[0]), format="yuv420p")
            frame.pts, frame.time_base = round(time * 90000), Fraction(1, 90000)
            out.mux(video.encode(frame))
        if audio is not None:
            _write_sound(out, audio, sound, offset_s, rate_hz, flashes)
            out.mux(audio.encode(None))
        out.mux(video.encode(None))


def _write_sound(out, stream, sound, offset_s, rate_hz, flashes):
    time = sound[0] + np.arange(round((sound[1] - sound[0]) * rate_hz)) / rate_hz
    on = np.zeros(len(time), bool)
    for flash in flashes:
        on |= (time + offset_s >= flash) & (time + offset_s < flash + BEEP_S)
    tone = (0.5 * on * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    channels = stream.codec_context.layout.nb_channels
    for begin in range(0, len(tone), 1024):
        piece = np.tile(tone[begin : begin + 1024], (channels, 1))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=stream.layout.name)
        frame.sample_rate = rate_hz
        frame.pts, frame.time_base = begin + round((sound[0] + offset_s) * rate_hz), Fraction(1, rate_hz)
        out.mux(stream.encode(frame))


def read_clip(path):
    """(picture times (N,) s, mean brightness of the lower part (N,), sound times, loudness) of a whole clip."""
    times, light, samples, begin = [], [], [], None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times.append(float(frame.pts * frame.time_base))
            light.append(frame.to_ndarray()[frame.height // 4 : frame.height].mean())
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.array(times), np.array(light), None, None
        rate = container.streams.audio[0].sample_rate
        for frame in container.decode(audio=0):
            begin = float(frame.pts * frame.time_base) if begin is None else begin
            samples.append(frame.to_ndarray()[0])
    sound = np.concatenate(samples)
    return np.array(times), np.array(light), begin + np.arange(len(sound)) / rate, np.abs(sound)


def onsets(times, values, threshold, hold_s=0.25):
    """Times at which `values` rise above the threshold after a rest."""
    found, last = [], None
    for time in times[values > threshold]:
        if last is None or time - last > hold_s:
            found.append(time)
        last = time
    return np.array(found)
