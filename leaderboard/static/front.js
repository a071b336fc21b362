"use strict";
// The front page's table: sort and search by DataTables; filters, columns, address and downloads
// are a thin layer over it. The rows are in the page: without JavaScript it is a plain table.

const element = document.getElementById("runs");
if (element) {
  const heads = [...element.tHead.rows[0].cells];
  const fields = heads.map((head, index) => ({
    name: head.dataset.field,
    kind: head.dataset.kind,
    up: head.classList.contains("up"),
    shown: !head.classList.contains("more"),
    index,
  }));
  const place = Object.fromEntries(fields.map((field) => [field.name, field.index]));
  const controls = document.getElementById("controls");
  const search = document.getElementById("search");
  // a choice of one value each, "*" for any: menus, and the tabs of the tasks, each by its name
  const choices = [...controls.querySelectorAll("[data-filter]")].map((events) => {
    const name = events.dataset.filter;
    const control = controls.elements[name];
    return {
      name,
      events,
      get value() {
        return control.value;
      },
      set value(wanted) {
        control.value = "*";
        control.value = wanted;
        if (!control.value) control.value = "*";
      },
    };
  });
  const boxes = [...controls.querySelectorAll("input[data-column]")];

  // what has no value comes last, whichever way is sorted
  const blanksLast = (sign, compare) => (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * compare(a, b);
  };
  const bySize = (a, b) => a - b;
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  DataTable.type("number", {
    order: { asc: blanksLast(1, bySize), desc: blanksLast(-1, bySize) },
  });
  DataTable.type("name", { order: { asc: blanksLast(1, byName), desc: blanksLast(-1, byName) } });

  const values = new Map();
  for (const { name } of choices) {
    const rows = [...element.tBodies[0].rows];
    values.set(name, rows.map((row) => row.cells[place[name]].dataset.v));
  }

  const table = new DataTable(element, {
    autoWidth: false,
    columnDefs: fields.map((field) => ({
      targets: field.index,
      type: field.kind === "text" ? "name" : "number",
      searchable: field.kind === "text",
      orderSequence: field.up ? ["asc", "desc"] : ["desc", "asc"],
    })),
    layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: "paging" },
    order: [],
    pageLength: 50,
    language: { info: "Rows _START_ to _END_ of _TOTAL_", infoEmpty: "No rows", infoFiltered: "" },
  });

  // one scroll: rows and pages are told below it, and a page begins at its top
  const scroll = element.closest(".scroll");
  scroll.after(scroll.querySelector(".dt-layout-row:last-child"));
  const toTop = () => {
    scroll.scrollTop = 0;
    if (scroll.getBoundingClientRect().top < 0) scroll.scrollIntoView();
  };
  element.tHead.addEventListener("click", toTop);
  table.on("page", toTop);

  const chosen = () => choices.filter((choice) => choice.value !== "*");
  table.search.fixed("filters", (text, data, index) =>
    chosen().every((choice) => `=${values.get(choice.name)[index]}` === choice.value),
  );

  // what ranks: the page's own ranks, or those by one of the figures, row by row
  const ranks = document.getElementById("ranks");
  const rankings = ranks ? JSON.parse(document.getElementById("rankings").textContent) : {};
  const own = [...element.tBodies[0].rows].map((row) =>
    [place.rank, place.group].map((column) => {
      const cell = row.cells[column];
      return [{ ...cell.dataset }, ...cell.childNodes];
    }),
  );
  const text = (name, value) => {
    const span = document.createElement("span");
    span.className = name;
    span.textContent = value;
    return span;
  };
  const refill = (cell, data, ...content) => {
    for (const key of Object.keys(cell.dataset)) delete cell.dataset[key];
    Object.assign(cell.dataset, data);
    cell.replaceChildren(...content);
  };
  /** Ranks and ties by a figure ("": the page's own); sorted by task and rank where it is none. */
  const rankBy = (name) => {
    table.rows().every(function (index) {
      const [rank, group] = [place.rank, place.group].map((column) => this.node().cells[column]);
      if (!name) {
        [rank, group].forEach((cell, number) => refill(cell, ...own[index][number]));
      } else {
        const [first, low, high, letters] = rankings[name][index] ?? [null, null, null, ""];
        const shown = first === null ? { order: "", v: "" } : { order: first, v: first, low, high };
        const range = low === high ? `${low}` : `${low} to ${high}`;
        refill(rank, shown, ...(first === null ? ["–"] : [text("value", first), " ", text("sub", range)]));
        refill(group, { order: letters, v: letters }, letters === "provisional" ? "prov." : letters || "–");
      }
    });
    table.rows().invalidate("dom");
  };

  const shownFields = () => fields.filter((_, index) => boxes[index].checked);
  const showColumns = () => {
    boxes.forEach((box, index) => element.classList.toggle(`x${index + 1}`, !box.checked));
  };

  const order = () => {
    const [first] = table.order();
    return first && first[1] && table.order().length === 1 ? [fields[first[0]].name, first[1]] : null;
  };

  /** The state as an address, empty where it is the page's own. */
  const toAddress = () => {
    const state = new URLSearchParams();
    if (search.value) state.set("q", search.value);
    for (const choice of chosen()) state.set(choice.name, choice.value.slice(1));
    if (ranks?.value) state.set("ranks", ranks.value);
    const sorted = order();
    if (sorted) state.set("sort", sorted.join("."));
    if (table.page()) state.set("page", table.page() + 1);
    if (boxes.some((box, index) => box.checked !== fields[index].shown)) {
      state.set("columns", shownFields().map((field) => field.name).join("."));
    }
    return state.toString();
  };

  const inRanks = () => (ranks?.value ? [[place.task, "asc"], [place.rank, "asc"]] : []);

  const fromAddress = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    search.value = state.get("q") ?? "";
    for (const choice of choices) {
      const wanted = state.get(choice.name);
      choice.value = wanted === null ? "*" : `=${wanted}`;
    }
    if (ranks) {
      const wanted = state.get("ranks") ?? "";
      const before = ranks.dataset.now ?? "";
      ranks.value = wanted in rankings ? wanted : "";
      ranks.dataset.now = ranks.value;
      if (ranks.value !== before) rankBy(ranks.value);
    }
    const columns = state.get("columns")?.split(".");
    boxes.forEach((box, index) => {
      box.checked = box.disabled || (columns ? columns.includes(box.dataset.column) : fields[index].shown);
    });
    const [name, direction] = (state.get("sort") ?? "").split(".");
    const known = name in place && ["asc", "desc"].includes(direction);
    table.order(known ? [[place[name], direction]] : inRanks());
    showColumns();
    table.search(search.value).draw();
    const page = Number(state.get("page")) - 1;
    if (page > 0 && page < table.page.info().pages) table.page(page).draw("page");
  };

  const remember = () => {
    const address = toAddress();
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  };

  table.on("draw", () => {
    const { recordsDisplay: some, recordsTotal: all, pages } = table.page.info();
    document.querySelector(".dt-paging").hidden = pages < 2;
    document.getElementById("count").textContent = some === all ? `${all} runs` : `${some} of ${all} runs`;
    remember();
  });

  search.addEventListener("input", () => table.search(search.value).draw());
  for (const choice of choices) choice.events.addEventListener("change", () => table.draw());
  ranks?.addEventListener("change", () => {
    rankBy(ranks.value);
    ranks.dataset.now = ranks.value;
    table.order(inRanks()).draw();
  });
  for (const box of boxes) {
    box.addEventListener("change", () => {
      showColumns();
      remember();
    });
  }
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", (event) => {
    event.preventDefault();
    history.replaceState(null, "", location.pathname + location.search);
    fromAddress();
  });
  for (const button of controls.querySelectorAll("button[data-download]")) {
    button.addEventListener("click", () => {
      const rows = table.rows({ search: "applied", order: "applied" }).nodes().toArray();
      // the activation stands in the cell of the name
      const wanted = fields.filter((field, index) => boxes[index].checked || field.name === "activation");
      download(button.dataset.download, rows, wanted);
    });
  }
  // a menu that is left closes
  const picker = controls.querySelector(".picker");
  document.addEventListener("click", (event) => {
    if (!picker.contains(event.target)) picker.open = false;
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    picker.open = false;
    picker.querySelector("summary").focus();
  });
  window.addEventListener("hashchange", () => {
    // a link to a place in the page, such as the one that skips to the tables, is no state
    if (document.getElementById(location.hash.slice(1))) remember();
    else fromAddress();
  });
  // paper gets every row that passes the filters
  let before = { length: 50, page: 0 };
  window.addEventListener("beforeprint", () => {
    before = table.page.info();
    table.page.len(-1).draw(false);
  });
  window.addEventListener("afterprint", () => table.page.len(before.length).page(before.page).draw("page"));

  controls.hidden = false;
  fromAddress();
}
