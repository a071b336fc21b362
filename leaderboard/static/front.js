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
  const selects = [...controls.querySelectorAll("select[data-filter]")];
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
  for (const { name } of fields.filter((field) => selects.some((s) => s.dataset.filter === field.name))) {
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

  const chosen = () => selects.filter((select) => select.value !== "*");
  table.search.fixed("filters", (text, data, index) =>
    chosen().every((select) => `=${values.get(select.dataset.filter)[index]}` === select.value),
  );

  const shownFields = () => fields.filter((_, index) => boxes[index].checked);
  const showColumns = () => {
    element.classList.add("picked");
    boxes.forEach((box, index) => element.classList.toggle(`x${index + 1}`, !box.checked));
  };

  const order = () => {
    const [first] = table.order();
    return first && first[1] ? [fields[first[0]].name, first[1]] : null;
  };

  /** The state as an address, empty where it is the page's own. */
  const toAddress = () => {
    const state = new URLSearchParams();
    if (search.value) state.set("q", search.value);
    for (const select of chosen()) state.set(select.dataset.filter, select.value.slice(1));
    const sorted = order();
    if (sorted) state.set("sort", sorted.join("."));
    if (table.page()) state.set("page", table.page() + 1);
    if (boxes.some((box, index) => box.checked !== fields[index].shown)) {
      state.set("columns", shownFields().map((field) => field.name).join("."));
    }
    return state.toString();
  };

  const fromAddress = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    search.value = state.get("q") ?? "";
    for (const select of selects) {
      const wanted = state.get(select.dataset.filter);
      select.value = wanted === null ? "*" : `=${wanted}`;
      if (select.selectedIndex < 0) select.value = "*";
    }
    const columns = state.get("columns")?.split(".");
    boxes.forEach((box, index) => {
      box.checked = box.disabled || (columns ? columns.includes(box.dataset.column) : fields[index].shown);
    });
    const [name, direction] = (state.get("sort") ?? "").split(".");
    const known = name in place && ["asc", "desc"].includes(direction);
    table.order(known ? [[place[name], direction]] : []);
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
  for (const select of selects) select.addEventListener("change", () => table.draw());
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
      download(button.dataset.download, rows, shownFields());
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
