// --- tables with search, sorting and pages -------------------------------------------------------

/** Draw a table. columns: title, cell(row), by(row) for those that sort, kind. filters: label and keep(row) of checkboxes. */
function pagedTable({ title, columns, rows, size = 25, text, filters }) {
  let page = 0, sorting = null, wanted = "";
  const chosen = new Set();
  const body = el("tbody"), told = el("span", { role: "status" });
  const back = el("button", { type: "button", on: { click: () => { page -= 1; draw(); } } }, "Previous");
  const on = el("button", { type: "button", on: { click: () => { page += 1; draw(); } } }, "Next");
  const heads = columns.map((column) => el("th", { scope: "col", class: column.kind },
    column.by ? el("button", { type: "button", on: { click: () => sort(column) } }, column.title) : column.title));

  function sort(column) {
    sorting = sorting?.column === column ? { column, up: !sorting.up } : { column, up: column.kind !== "number" };
    columns.forEach((one, place) => {
      if (one === column) heads[place].setAttribute("aria-sort", sorting.up ? "ascending" : "descending");
      else heads[place].removeAttribute("aria-sort");
      if (one.by) heads[place].firstChild.textContent = one.title + (one === column ? (sorting.up ? " ▲" : " ▼") : "");
    });
    page = 0;
    draw();
  }

  function draw() {
    let found = rows.filter((row) => [...chosen].every((keep) => keep(row)) && (!wanted || text(row).toLowerCase().includes(wanted)));
    if (sorting) {
      const { column, up } = sorting;
      const order = (a, b) => a < b ? -1 : Number(a > b);
      found = [...found].sort((a, b) => (up ? 1 : -1) * order(column.by(a), column.by(b)));
    }
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.replaceChildren(...found.slice(page * size, (page + 1) * size).map((row) =>
      el("tr", {}, columns.map((column) => el("td", { class: column.kind }, column.cell(row))))));
    told.textContent = `${count(found.length)} of ${count(rows.length)}, page ${page + 1} of ${pages}`;
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
  }

  const controls = el("div", { class: "controls" },
    el("label", { class: "grow" }, el("span", { class: "hidden" }, `Search in: ${title}`),
      el("input", { type: "search", placeholder: "Search", on: {
        input: (event) => { wanted = event.target.value.toLowerCase(); page = 0; draw(); } } })),
    filters.map(([label, keep]) => el("label", {}, el("input", { type: "checkbox", on: {
      change: (event) => { chosen[event.target.checked ? "add" : "delete"](keep); page = 0; draw(); } } }), label)));
  draw();
  return el("div", {}, controls, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    el("table", { class: "rows" }, el("caption", { class: "hidden" }, title), el("thead", {}, el("tr", {}, heads)), body)),
  el("div", { class: "pager" }, back, on, told));
}

