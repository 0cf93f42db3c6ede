// --- permissions and calls -----------------------------------------------------------------------

const MAY = { yes: ["yes", "may", "✓"], no: ["no", "may not", "–"], "with context": ["context", "may with context", "◐"] };

/** Return all actions, in the order of each key's actions. */
function actionsOf(keys) {
  const actions = [];
  for (const rows of keys.values()) {
    const own = [...new Set(rows.map((row) => row[2]))];
    own.forEach((action, place) => {
      if (!actions.includes(action)) actions.splice(place ? actions.indexOf(own[place - 1]) + 1 : 0, 0, action);
    });
  }
  return actions;
}

/** Explain each kind of cell by an example. */
function matrixLegend() {
  const example = (kind, sign, refused, words) => el("span", {},
    el("span", { class: `cell ${kind}`, "aria-hidden": "true" }, sign, refused ? el("span", { class: "refused" }, refused) : null), words);
  return el("p", { class: "legend cells" },
    example("yes", "✓", "", "allowed"),
    example("context", "◐", "", "allowed only with an encryption context that calls had"),
    example("no", "–", "", "not allowed"),
    example("yes", "✓ 3", "", "3 calls succeeded"),
    example("no", "–", " ✗2", "2 calls were denied"),
    example("none", "\u00a0", "", "the key has no such action"));
}

/** Draw keys and principals against actions; arrow keys go from cell to cell. */
function matrix(scene) {
  const keys = new Map();
  for (const row of scene.permissions) {
    if (!keys.has(row[0])) keys.set(row[0], []);
    keys.get(row[0]).push(row);
  }
  const actions = actionsOf(keys);
  const grid = []; // of buttons; empty if a key does not have the action
  const hint = "Choose a cell to see why.";
  const why = el("p", { class: "whyto", role: "status" }, hint);
  let chosen = null;

  function cell([key, principal, action, may, reason, did, refused]) {
    const [kind, words, sign] = MAY[names[may]];
    return el("button", {
      type: "button", class: `cell ${kind}`, tabindex: "-1", "aria-pressed": "false",
      on: {
        click: ({ currentTarget }) => {
          chosen?.setAttribute("aria-pressed", "false");
          chosen = chosen === currentTarget ? null : currentTarget;
          chosen?.setAttribute("aria-pressed", "true");
          why.classList.toggle("chosen", chosen !== null);
          why.textContent = chosen === null ? hint : `${principalText(names[principal])} ${words} ${names[action]} with ` +
            `${keyText(names[key], scene.mock)}: ${names[reason]}.`;
        },
      },
    }, el("span", { "aria-hidden": "true" }, sign, did ? ` ${count(did)}` : ""),
    refused ? el("span", { class: "refused", "aria-hidden": "true" }, ` ✗${count(refused)}`) : null,
    el("span", { class: "hidden" }, `${words}, done ${did} times, refused ${refused} times`));
  }

  function rowsOf(key, rows) {
    const principals = [...new Set(rows.map((row) => row[1]))];
    const found = new Map(rows.map((row) => [`${row[1]} ${row[2]}`, row]));
    return el("tbody", {}, principals.map((principal, place) => {
      const buttons = actions.map((action) => found.get(`${principal} ${action}`)).map((row) => row && cell(row));
      grid.push(buttons);
      return el("tr", {},
        place ? null : el("th", { scope: "rowgroup", rowspan: principals.length, title: names[key] }, breakable(nameOfKey(names[key], scene.mock)), placeLine(placeOfKey(names[key]))),
        el("th", { scope: "row", title: names[principal] }, breakable(short(names[principal])), placeLine(placeOfPrincipal(names[principal]))),
        buttons.map((button) => el("td", {}, button)));
    }));
  }

  function walk(event) {
    const [down, right] = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key] ?? [0, 0];
    let y = grid.findIndex((buttons) => buttons.includes(document.activeElement));
    if (y < 0 || !(down || right)) return;
    event.preventDefault();
    let x = grid[y].indexOf(document.activeElement);
    do { y += down; x += right; } while (grid[y] && x >= 0 && x < actions.length && !grid[y][x]);
    if (!grid[y]?.[x]) return;
    document.activeElement.tabIndex = -1;
    grid[y][x].tabIndex = 0;
    grid[y][x].focus();
  }

  const bodies = [...keys].map(([key, rows]) => rowsOf(key, rows));
  grid[0].find(Boolean).tabIndex = 0;
  return el("div", {},
    el("p", { class: "quiet" }, "What each principal is allowed with the policies and grants at the end, and the calls that it has made."),
    matrixLegend(),
    el("div", { class: "scroll" }, el("table", { class: "matrix", on: { keydown: walk } },
      el("caption", { class: "hidden" }, "Permissions and calls, by key and principal"),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Key"), el("th", { scope: "col" }, "Principal"),
        actions.map((action) => el("th", { scope: "col" }, breakable(names[action].replace("kms:", "")))))),
      bodies)), why);
}
