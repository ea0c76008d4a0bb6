"use strict";
(() => {
  // More pairs than these would push the people out of sight; each that is put aside makes room for the next.
  const shownPairs = 6;
  const waiting = [...document.querySelectorAll(".pair")].slice(shownPairs);
  const more = document.querySelector(".more");
  const showMore = (count) => {
    for (const pair of waiting.splice(0, count)) pair.hidden = false;
    if (more) more.hidden = !waiting.length;
  };
  for (const pair of waiting) pair.hidden = true;
  showMore(0);
  if (more) more.addEventListener("click", () => {
    const next = waiting[0].querySelector(".later");
    showMore(waiting.length);
    next.focus();
  });
  for (const button of document.querySelectorAll(".pair .later")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const pair = button.closest(".pair");
      pair.hidden = true;
      showMore(1);
      const next = document.querySelector(".pair:not([hidden]) .later");
      if (next) next.focus();
      else pair.closest("section").hidden = true;
    });
  }
  const order = document.getElementById("order");
  if (order) {
    const list = document.getElementById("people");
    const cards = [...list.children];
    const sort = () => {
      const key = order.value;
      // Equal ones stay in the order of the page.
      list.append(...(key ? [...cards].sort((a, b) => b.dataset[key] - a.dataset[key]) : cards));
    };
    order.addEventListener("change", sort);
    // A browser restores the choice when the page is opened again.
    if (order.value) sort();
  }
})();
