"use strict";
(() => {
  for (const button of document.querySelectorAll(".later")) {
    button.hidden = false;
    button.addEventListener("click", () => { button.closest(".pair").hidden = true; });
  }
  const find = document.querySelector(".find");
  if (!find) return;
  const input = find.querySelector("input");
  const cards = [...document.querySelectorAll(".people > li")];
  find.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const card of cards) {
      const text = card.textContent.toLowerCase();
      card.hidden = !words.every((word) => text.includes(word));
    }
  });
})();
