"use strict";
(() => {
  const find = document.querySelector(".find");
  if (!find) return;
  const input = find.querySelector("input");
  const said = find.querySelector("[role=status]");
  const cards = [...document.querySelectorAll(".found-among > li")];
  // "jose" finds José, too.
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  // Commands, and what leads to them, are the same on all cards, so their words find nobody.
  const texts = cards.map((card) => {
    const copy = card.cloneNode(true);
    for (const command of copy.querySelectorAll(".command")) (command.closest("p") ?? command).remove();
    return plain(copy.textContent);
  });
  const search = () => {
    const words = plain(input.value).split(/\s+/);
    cards.forEach((card, i) => { card.hidden = !words.every((word) => texts[i].includes(word)); });
    const count = cards.filter((card) => !card.hidden).length;
    said.textContent = input.value.trim() ? `${count || "none"} of ${cards.length}` : "";
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
