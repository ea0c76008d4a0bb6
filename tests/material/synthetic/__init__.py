"""Generated videos whose faces, cuts and audio are known exactly.

`scenes` says what is to be seen, `truth` what is known about it, `render` writes the file:

    film = Film(scenes=(Scene(length=50, actors=(Actor(COLLINS, Motion(keys=(Key(0, 0.5, 0.5, 0.3),))),)),))
    truth = render_video(tmp_path / "film.mp4", film)
"""
