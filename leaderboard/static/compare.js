"use strict";
// Draws any two models that are chosen, from the numbers in the page; without JavaScript the
// suggested pairs are there.

const pick = document.getElementById("pick");
if (pick) {
  const [first, second] = ["first", "second"].map((id) => document.getElementById(id));
  const held = document.getElementById("duels");
  const duels = JSON.parse(held.textContent);
  const sections = [...document.querySelectorAll("main > section")];
  const bodies = sections.map((section) => section.querySelector("tbody"));
  const suggested = bodies.map((body) => [...body.rows]);
  const WIDTH = Number(held.dataset.width);
  const EDGE = Number(held.dataset.edge);
  const UNITS = "http://www.w3.org/2000/svg";

  const add = (parent, name, given = {}, text = "") => {
    const made = name === "svg" || parent.namespaceURI === UNITS
      ? document.createElementNS(UNITS, name) : document.createElement(name);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    made.textContent = text;
    return parent.appendChild(made);
  };
  // a number that rounds to nothing has no sign
  const fixed = (value) => value.toFixed(3).replace(/^-(?=[0.]*$)/, "").replace("-", "\u2212");
  const signed = (value) => (Number(value.toFixed(3)) > 0 ? "+" : "") + fixed(value);
  // two digits, as the pairs in the page have them
  const short = (p) => (p >= 1e-4 || p === 0 ? String(Number(p.toPrecision(2)))
    : p.toExponential(1).replace(".0e", "e").replace(/e-(\d)$/, "e-0$1"));
  const place = (value, low) => (
    EDGE + Math.min(Math.max((value - low) / (1 - low), 0), 1) * (WIDTH - 2 * EDGE)
  ).toFixed(1);

  // the place of a pair, i before j, among all pairs of n models
  const pairAt = (i, j, n) => i * n - (i * (i + 1)) / 2 + j - i - 1;

  const drawCell = (row, [family, low], [one, two], numbers, sign) => {
    const [gap, half, p, adjusted, told] = numbers;
    const cell = add(row, "td", { class: `difference ${family}${told ? " significant" : ""}` });
    cell.dataset.sort = gap === null ? "" : String(sign * gap);
    const values = [one, two].map((value) => (value === null ? "\u2013" : fixed(value)));
    add(cell, "span", { class: "sub" }, values.join(" \u2212 "));
    if (gap === null) return;
    add(cell, "span", { class: "value" }, signed(sign * gap));
    const known = half !== null;
    const ends = [sign * gap - half, sign * gap + half];
    const drawing = add(cell, "svg", {
      class: "interval", viewBox: `0 0 ${WIDTH} 12`, "aria-hidden": "true",
    });
    add(drawing, "path", { class: "axis", d: `M${EDGE} 6H${WIDTH - EDGE}` });
    if (known) {
      const [from, to] = ends.map((end) => place(two + end, low));
      add(drawing, "path", { class: "range", d: `M${from} 6H${to}` });
    }
    add(drawing, "path", { class: "second", d: `M${place(two, low)} 1V11` });
    add(drawing, "circle", { cx: place(one, low), cy: 6, r: 3 });
    const own = known ? `${ends.map(signed).join(" to ")}, p = ${short(p)}` : "too few trials";
    add(cell, "span", { class: "sub" }, own);
    if (known) add(cell, "span", { class: "sub" }, `of all pairs p = ${short(adjusted)}`);
  };

  const drawPair = (duel, i, j) => {
    const row = document.createElement("tr");
    for (const [label, name, activation, href] of [duel.sides[i], duel.sides[j]]) {
      const head = add(row, "th", { scope: "row", "data-sort": label.toLowerCase() });
      add(add(head, "a", { href }), "bdi", {}, name);
      if (activation) add(add(head, "span", { class: "sub" }), "bdi", {}, activation);
    }
    const at = pairAt(Math.min(i, j), Math.max(i, j), duel.sides.length);
    duel.scores.forEach((score, s) => {
      const values = [duel.means[s][i], duel.means[s][j]];
      drawCell(row, score, values, duel.pairs[s][at], i < j ? 1 : -1);
    });
    return row;
  };

  const rowsOf = (duel) => {
    const places = (label) => duel.sides.flatMap((side, i) => (side[0] === label ? [i] : []));
    const ones = places(first.value);
    const others = second.value ? places(second.value) : duel.sides.map((_, i) => i);
    return ones.flatMap((i) => others.filter((j) => j !== i).map((j) => drawPair(duel, i, j)));
  };

  const show = () => {
    let count = 0;
    duels.forEach((duel, number) => {
      const rows = first.value ? rowsOf(duel) : suggested[number];
      bodies[number].replaceChildren(...rows);
      sections[number].hidden = !rows.length;
      const note = sections[number].querySelector(".suggested");
      if (note) note.hidden = Boolean(first.value);
      count += rows.length;
    });
    const pairs = `${count} ${count === 1 ? "pair" : "pairs"}`;
    const told = count || !second.value ? pairs
      : "no pair: these two have run no task in one division";
    document.getElementById("count").textContent = told;
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

  pick.addEventListener("change", (event) => {
    // who chooses the second alone means it against each other
    if (event.target === second && !first.value) {
      [first.value, second.value] = [second.value, ""];
    }
    show();
  });
  pick.addEventListener("submit", (event) => event.preventDefault());
  pick.addEventListener("reset", (event) => {
    event.preventDefault();
    first.value = second.value = "";
    show();
  });
  document.getElementById("swap").addEventListener("click", () => {
    if (second.value) [first.value, second.value] = [second.value, first.value];
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
