"use strict";
// Shows the pairs of one or two models; without JavaScript all pairs are there.

const pick = document.getElementById("pick");
if (pick) {
  const first = document.getElementById("first");
  const second = document.getElementById("second");
  const rows = [...document.querySelectorAll("table.pairs tbody tr")];

  const show = () => {
    const wanted = [first.value, second.value].filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const sides = [row.dataset.first, row.dataset.second];
      row.hidden = !wanted.every((name) => sides.includes(name));
      count += !row.hidden;
    }
    for (const section of document.querySelectorAll("main > section")) {
      section.hidden = !section.querySelector("tbody tr:not([hidden])");
    }
    document.getElementById("count").textContent = `${count} of ${rows.length} pairs`;
    const state = new URLSearchParams();
    if (first.value) state.set("first", first.value);
    if (second.value) state.set("second", second.value);
    const address = state.toString();
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  };

  const fromAddress = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const select of [first, second]) {
      select.value = state.get(select.id) ?? "";
      if (select.selectedIndex < 0) select.value = "";
    }
    show();
  };

  pick.addEventListener("change", show);
  pick.addEventListener("submit", (event) => event.preventDefault());
  pick.addEventListener("reset", (event) => {
    event.preventDefault();
    first.value = second.value = "";
    show();
  });
  window.addEventListener("hashchange", () => {
    // a link to a place in the page, such as the one that skips to the tables, is no state
    if (document.getElementById(location.hash.slice(1))) show();
    else fromAddress();
  });
  pick.hidden = false;
  fromAddress();
}
