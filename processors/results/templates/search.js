"use strict";
(() => {
  const find = document.querySelector(".find");
  if (!find) return;
  const input = find.querySelector("input");
  const cards = [...document.querySelectorAll(".found-among > li")];
  find.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const card of cards) {
      const text = card.textContent.toLowerCase();
      card.hidden = !words.every((word) => text.includes(word));
    }
  });
})();
