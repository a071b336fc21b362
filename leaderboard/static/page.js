"use strict";
// Headings become real buttons here and not in the HTML, so that a reader without JavaScript is
// offered nothing that does not work. A click bubbles to the heading, where the sorter listens.
for (const heading of document.querySelectorAll("table.sortable thead th:not(.no-sort)")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
}

// The sorter begins with the largest value; text and ranks (class "up") begin with the smallest.
document.addEventListener(
  "click",
  (event) => {
    const heading = event.target.closest("table.sortable thead th.up");
    if (heading && !heading.hasAttribute("aria-sort")) {
      heading.setAttribute("aria-sort", "descending");
    }
  },
  true,
);

// A link to a run inside a folded part unfolds it.
const target = location.hash && document.getElementById(location.hash.slice(1));
for (let part = target; part; part = part.parentElement) {
  if (part.tagName === "DETAILS") part.open = true;
}
