"use strict";
(() => {
  const find = document.querySelector(".find");
  if (!find) return;
  const input = find.querySelector("input");
  const cards = [...document.querySelectorAll(".found-among > li")];
  // Commands are the same on all cards, so their words find nobody.
  const texts = cards.map((card) => {
    const copy = card.cloneNode(true);
    for (const command of copy.querySelectorAll(".command")) command.remove();
    return copy.textContent.toLowerCase();
  });
  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    cards.forEach((card, i) => { card.hidden = !words.every((word) => texts[i].includes(word)); });
  };
  find.hidden = false;
  input.addEventListener("input", search);
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.hidden) return;
    input.value = "";
    search();
    target.scrollIntoView();
  });
})();
