"use strict";
(() => {
  for (const button of document.querySelectorAll(".later")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const pair = button.closest(".pair");
      pair.hidden = true;
      const next = document.querySelector(".pair:not([hidden]) .later");
      if (next) next.focus();
      else pair.closest("section").hidden = true;
    });
  }
})();
