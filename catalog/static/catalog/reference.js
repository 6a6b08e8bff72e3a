// Filters the list while one types. Without this script the form asks the server for the same.
"use strict";
const field = document.getElementById("q");
const told = document.getElementById("found");
const operations = [...document.querySelectorAll(".operations li")];
const items = [...document.querySelectorAll("li[data-text]")];
const groups = [...document.querySelectorAll(".group")];

function filter() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of items) item.hidden = !words.every((word) => item.dataset.text.includes(word));
  for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  const found = operations.filter((item) => !item.hidden).length;
  told.textContent = `${found} operation${found === 1 ? "" : "s"}`;
}

field.addEventListener("input", filter);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  }
});
