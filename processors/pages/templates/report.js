"use strict";
(() => {
  const length = Number(document.body.dataset.length) || 1;
  const clips = [...document.querySelectorAll(".clip video")];
  const timeline = document.querySelector(".timeline");
  const heads = [...document.querySelectorAll(".playhead")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const mark = (video, on) => {
    const clip = video.closest(".clip");
    clip.classList.toggle("playing", on);
    for (const link of document.querySelectorAll(".lane a")) {
      if (link.getAttribute("href") === "#" + clip.id) link.classList.toggle("playing", on);
    }
    if (timeline) timeline.classList.toggle("playing", on);
  };
  for (const video of clips) {
    video.addEventListener("play", () => {
      for (const other of document.querySelectorAll("video")) if (other !== video) other.pause();
      for (const other of clips) if (other !== video) mark(other, false);
      mark(video, true);
    });
    video.addEventListener("pause", () => mark(video, false));
    video.addEventListener("timeupdate", () => {
      const x = (Number(video.dataset.start) + video.currentTime) / length * 100 + "%";
      for (const head of heads) { head.setAttribute("x1", x); head.setAttribute("x2", x); }
    });
    video.addEventListener("error", () => video.closest(".clip").classList.add("broken"));
  }
  for (const link of document.querySelectorAll(".lane a, .turns a")) {
    link.addEventListener("click", (event) => {
      const clip = document.getElementById(link.getAttribute("href").slice(1));
      const video = clip && clip.querySelector("video");
      if (!video) return;
      event.preventDefault();
      clip.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "center", inline: "center" });
      video.focus({ preventScroll: true });
      if (link.dataset.at) video.currentTime = Number(link.dataset.at);
      video.play().catch(() => {});
    });
  }
  // Results may be moved, so only the opened page knows where they lie; the commands need that.
  const outputFolder = () => {
    const inside = "/" + document.body.dataset.folder + "/report.html";
    let path = "";
    try {
      path = decodeURIComponent(location.pathname);
    } catch {} // not UTF-8
    if (location.protocol !== "file:" || !path.endsWith(inside)) return "";
    return path.slice(0, -inside.length) || "/";
  };
  const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\"'\"'") + "'";
  const output = outputFolder();
  for (const command of output ? document.querySelectorAll(".command") : []) {
    const flag = document.createElement("span");
    flag.className = "flag";
    flag.textContent = "-o";
    command.append(" ", flag, " " + quoted(output));
  }
  const zoom = document.querySelector(".zoom");
  if (zoom && timeline) {
    const [out, into] = zoom.querySelectorAll("button");
    let level = 0;
    const set = (next) => {
      const middle = (timeline.scrollLeft + timeline.clientWidth / 2) / timeline.scrollWidth;
      timeline.classList.remove("zoom-" + level);
      level = next;
      timeline.classList.add("zoom-" + level);
      timeline.scrollLeft = middle * timeline.scrollWidth - timeline.clientWidth / 2;
      out.disabled = level === 0;
      into.disabled = level === 5;
    };
    out.addEventListener("click", () => set(level - 1));
    into.addEventListener("click", () => set(level + 1));
    zoom.hidden = false;
    set(0);
  }
})();
