"use strict";

const report = JSON.parse(document.getElementById("data").textContent);
const names = report.names;
const main = document.getElementById("main");

// --- making elements: texts are texts, whatever is in them -----------------------------------

function el(tag, options = {}, ...children) {
  const made = options.svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "on") for (const [event, heard] of Object.entries(value)) made.addEventListener(event, heard);
    else if (name === "style") for (const [part, set] of Object.entries(value)) made.style.setProperty(part, set);
    else if (name !== "svg" && value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const count = (number) => number.toLocaleString("en-US");
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const short = (arn) => arn.split(":").slice(5).join(":") || arn;
const moment = (ms) => new Date(ms).toISOString().slice(0, 23).replace("T", " ").replace(".000", "");

function usd(text) {
  const digits = Number(text).toFixed(6).replace(/(\.\d\d\d*?)0+$/, "$1");
  const [whole, part] = digits.replace("-", "").split(".");
  return `${digits.startsWith("-") ? "-" : ""}$${count(Number(whole))}.${part}`;
}

function section(title, about, ...content) {
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  document.getElementById("sections").append(el("a", { href: `#${id}` }, title));
  const made = el("section", { class: "card", id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title), el("p", { class: "quiet" }, about), ...content);
  main.append(made);
  return made;
}

// --- keys, and what they are called ------------------------------------------------------------

const keyOf = new Map(report.keys.map((key) => [`${key.mock} ${key.arn}`, key]));

function nameOfKey(arn, mock) {
  const key = keyOf.get(`${mock} ${arn}`) ?? report.keys.find((one) => one.arn === arn);
  return key?.aliases[0] || key?.description || short(arn).slice(0, 12);
}

const failedTests = new Set(Object.keys(report.tests).filter((test) => report.tests[test].outcome === "failed"));
const kindOf = (outcome) => outcome === "ok" ? "ok" : outcome === "AccessDeniedException" ? "denied" : "failed";
const badge = (outcome) =>
  el("span", { class: `badge ${kindOf(outcome)}` }, outcome.replace(/Exception$/, ""));
const outcomeOf = (test) =>
  failedTests.has(test) ? el("span", { class: "badge failed" }, "test failed") : null;

// --- the theme ---------------------------------------------------------------------------------

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const themes = ["system", "light", "dark"];
let theme = "system";
try { theme = localStorage.getItem("kmsmock-theme") || theme; } catch { /* not for files, perhaps */ }

function showTheme() {
  const dark = theme === "dark" || (theme === "system" && darkSystem.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = `Theme: ${theme === "system" ? "as the system" : theme}`;
}
darkSystem.addEventListener("change", showTheme);
document.getElementById("theme").addEventListener("click", () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  try { localStorage.setItem("kmsmock-theme", theme); } catch { /* then for this time only */ }
  showTheme();
});
showTheme();

// --- head and figures --------------------------------------------------------------------------

function tile(kind, figure, name, about) {
  return el("div", { class: `tile ${kind}` }, el("b", {}, figure), el("span", {}, name),
    el("span", { class: "quiet" }, about));
}

function showHead() {
  const { total, storage, specs } = report;
  const when = report.made ? `${report.made.slice(0, 16).replace("T", " ")} UTC · ` : "";
  document.getElementById("run").textContent =
    `${when}${plural(report.tests_run, "test")} run, ${count(report.tests_failed)} failed · ` +
    `${count(Object.keys(report.tests).length)} of them called KMS`;
  const keys = Object.values(specs).reduce((sum, spec) => sum + spec.keys, 0);
  const unused = Object.values(specs).reduce((sum, spec) => sum + spec.unused, 0);
  main.append(el("div", { class: "tiles" },
    tile("", count(total.calls), "KMS calls", plural(Object.keys(report.operations).length, "operation")),
    tile("", usd(Number(total.cost) + Number(storage)), "at AWS's list prices", `requests ${usd(total.cost)}, keys ${usd(storage)}`),
    tile(total.denied ? "denied" : "", count(total.denied), "denied", "by policies and grants"),
    tile(total.failed ? "failed" : "", count(total.failed), "failed", "for other reasons"),
    tile("", count(keys), "keys", `${count(unused)} never used`)));
  const omitted = Object.entries(report.omitted).map(([what, number]) => `${count(number)} ${what}`);
  if (omitted.length) report.notes.push(`Only in the sums, to keep this page small: ${omitted.join(", ")}.`);
  for (const note of report.notes) main.append(el("p", { class: "card note", role: "note" }, note));
}

// --- bars ----------------------------------------------------------------------------------------

const BARS = 8;

/** Draw a table of bars. entries: name, title (in full), tally. */
function bars(title, entries, measure) {
  const body = el("tbody");
  const button = el("button", { type: "button", class: "more", on: { click: () => { all = !all; draw(); } } });
  let all = false;
  const sizeOf = (tally) => measure() === "cost" ? Number(tally.cost) : tally.calls;

  function bar(tally, largest) {
    const part = (number, kind) => number
      ? el("i", { class: kind, style: { width: `${100 * number / largest}%` } }) : null;
    return measure() === "cost"
      ? el("div", { "aria-hidden": "true" }, part(Number(tally.cost), ""))
      : el("div", { "aria-hidden": "true" }, part(tally.calls - tally.denied - tally.failed, ""),
        part(tally.denied, "denied"), part(tally.failed, "failed"));
  }

  function draw() {
    const sorted = [...entries].sort((a, b) => sizeOf(b.tally) - sizeOf(a.tally));
    const largest = Math.max(sizeOf(sorted[0].tally), Number.MIN_VALUE);
    body.replaceChildren(...sorted.slice(0, all ? 500 : BARS).flatMap(({ name, full, tally }) => [
      el("tr", {}, el("th", { scope: "row", title: full ?? name }, name),
        el("td", {}, measure() === "cost" ? usd(tally.cost) : count(tally.calls),
          refusedWords(tally))),
      el("tr", { "aria-hidden": "true" }, el("td", { class: "track", colspan: "2" }, bar(tally, largest))),
    ]));
    button.textContent = all ? "Show fewer" : `Show ${entries.length > 500 ? "the first 500" : `all ${entries.length}`}`;
    button.hidden = entries.length <= BARS;
    button.setAttribute("aria-expanded", String(all));
  }

  function refusedWords(tally) {
    if (measure() === "cost" || !(tally.denied || tally.failed)) return null;
    return el("span", { class: "hidden" }, `, ${tally.denied} denied, ${tally.failed} failed`);
  }

  draw();
  const table = el("table", { class: "bars" }, el("caption", { class: "hidden" }, title), body);
  return { made: el("div", {}, el("h3", {}, title), table, button), draw };
}

function showBars() {
  let measure = "calls";
  const tallies = (all) => Object.entries(all).map(([name, tally]) => ({ name, tally }));
  const lists = [
    ["By operation", tallies(report.operations)],
    ["By key", report.keys.filter((key) => key.tally.calls).map((key) =>
      ({ name: `${nameOfKey(key.arn, key.mock)} · ${key.spec}`, full: `${key.arn}, made by ${key.test}`, tally: key.tally }))],
    ["By test", tallies(report.tests)],
  ].filter(([, entries]) => entries.length).map(([title, entries]) => bars(title, entries, () => measure));
  const choice = (value, label) => el("label", {},
    el("input", { type: "radio", name: "measure", value, checked: value === measure, on: {
      change: () => { measure = value; for (const list of lists) list.draw(); } } }), label);
  section("Calls and cost", "Requests at list price; a bar's red part was denied, its amber part failed.",
    el("div", { class: "controls" }, el("fieldset", { class: "segments" },
      el("legend", { class: "hidden" }, "What the bars show"), choice("calls", "Calls"), choice("cost", "Cost"))),
    el("div", { class: "thirds" }, lists.map((list) => list.made)));
}

// --- tables that are searched, sorted and paged -----------------------------------------------------

/** Draw a table. columns: title, cell(row), by(row) for those that sort, kind. keep: which rows match. */
function pagedTable({ title, columns, rows, size = 25, text, extra, keep }) {
  let page = 0, sorting = null, wanted = "", onlySome = false;
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
    let found = rows.filter((row) => (!onlySome || keep(row)) && (!wanted || text(row).toLowerCase().includes(wanted)));
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
    extra ? el("label", {}, el("input", { type: "checkbox", on: {
      change: (event) => { onlySome = event.target.checked; page = 0; draw(); } } }), extra) : null);
  draw();
  return el("div", {}, controls, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    el("table", { class: "rows" }, el("caption", { class: "hidden" }, title), el("thead", {}, el("tr", {}, heads)), body)),
  el("div", { class: "pager" }, back, on, told));
}

// --- refusals ------------------------------------------------------------------------------------------

function showRefusals() {
  if (!report.refusals.length) return;
  const SIZE = 25;
  let wanted = "", kind = "all", onlyFailed = false, shown = SIZE;
  const list = el("div"), told = el("span", { role: "status" });
  const more = el("button", { type: "button", class: "more", on: { click: () => { shown += SIZE; draw(); } } }, "Show more");
  const sorted = [...report.refusals].sort((a, b) => failedTests.has(b.test) - failedTests.has(a.test));

  function refusal(one) {
    const key = one.key ? nameOfKey(one.key, one.test) : null;
    return el("details", { class: "refusal" },
      el("summary", {}, badge(one.code), el("b", {}, one.operation), key ? el("span", { title: one.key }, key) : null,
        el("span", { class: "quiet", title: one.caller }, `by ${short(one.caller)}`),
        one.times > 1 ? el("span", { class: "badge plain" }, `${count(one.times)} times`) : null, outcomeOf(one.test),
        el("span", { class: "why" }, one.reason),
        el("span", { class: "why quiet mono" }, one.test ?? "outside of tests")),
      one.message ? el("p", {}, el("span", { class: "quiet" }, "AWS says: "), one.message) : null,
      one.text ? el("pre", { tabindex: "0" }, one.text) : null);
  }

  function draw() {
    const found = sorted.filter((one) => (kind === "all" || kindOf(one.code) === kind)
      && (!onlyFailed || failedTests.has(one.test))
      && (!wanted || Object.values(one).join(" ").toLowerCase().includes(wanted)));
    list.replaceChildren(...found.slice(0, shown).map(refusal));
    told.textContent = `${count(found.length)} of ${count(sorted.length)}`;
    more.hidden = found.length <= shown;
  }

  const select = el("select", { on: { change: (event) => { kind = event.target.value; draw(); } } },
    [["all", "Denied and failed"], ["denied", "Denied"], ["failed", "Failed"]].map(([value, label]) => el("option", { value }, label)));
  draw();
  section("Refused calls", "Calls that were denied by policies or grants, or failed for another reason. Open one for the whole explanation.",
    el("div", { class: "controls" },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, "Search in refused calls"),
        el("input", { type: "search", placeholder: "Search: operation, key, principal, test, reason", on: {
          input: (event) => { wanted = event.target.value.toLowerCase(); draw(); } } })),
      el("label", {}, el("span", { class: "hidden" }, "Which"), select),
      failedTests.size ? el("label", {}, el("input", { type: "checkbox", on: {
        change: (event) => { onlyFailed = event.target.checked; draw(); } } }), "in failed tests") : null, told),
    list, more);
}

// --- one scene: timeline, permissions, calls ---------------------------------------------------------------

function showScenes() {
  if (!report.scenes.length) return;
  const titles = new Map();
  const scenes = [...report.scenes.entries()].map(([place, scene]) => {
    const base = scene.test ?? "outside of tests";
    const number = (titles.get(base) ?? 0) + 1;
    titles.set(base, number);
    return { place, scene, title: number === 1 ? base : `${base}, part ${number}` };
  });
  scenes.sort((a, b) => b.scene.calls.length - a.scene.calls.length);
  const content = el("div");
  const select = el("select", { on: { change: () => show(Number(select.value)) } }, scenes.map(({ title, scene }, place) =>
    el("option", { value: place }, `${title} (${plural(scene.calls.length, "call")})`)));
  const step = (by) => () => {
    select.value = String((Number(select.value) + by + scenes.length) % scenes.length);
    show(Number(select.value));
  };

  function show(place) {
    const { scene } = scenes[place];
    const parts = [el("h3", {}, "Keys and calls over time"), timeline(scene)];
    if (scene.permissions.length) parts.push(el("h3", {}, "Who may, and who did"), ...matrices(scene));
    else if (!scene.enforced) parts.push(el("p", { class: "quiet" }, "Policies did not decide here: authorization was off."));
    parts.push(el("h3", {}, "Calls"), callTable(scene));
    content.replaceChildren(...parts);
  }

  section("Test by test", "What happened in one mock, on its own clock: choose the test that started it.",
    el("div", { class: "controls" },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, "Test"), select),
      scenes.length > 1 ? [el("button", { type: "button", on: { click: step(-1) } }, "Previous test"),
        el("button", { type: "button", on: { click: step(1) } }, "Next test")] : null),
    content);
  show(0);
}

function callTable(scene) {
  const began = Date.parse(scene.began);
  const rows = scene.calls.map(([at, operation, key, caller, outcome, test], place) =>
    ({ place, at, operation: names[operation], key: key === null ? "" : names[key], caller: names[caller], outcome: names[outcome], test: test === null ? "" : names[test] }));
  const keyName = new Map();
  for (const { key } of rows) if (key && !keyName.has(key)) keyName.set(key, nameOfKey(key, scene.mock));
  return pagedTable({
    title: "Calls", rows, extra: "only denied and failed", keep: (row) => row.outcome !== "ok",
    text: (row) => `${row.operation} ${row.key} ${keyName.get(row.key)} ${row.caller} ${row.outcome} ${row.test}`,
    columns: [
      { title: "#", kind: "number", cell: (row) => String(row.place + 1), by: (row) => row.place },
      { title: "Time, UTC", cell: (row) => el("span", { class: "mono" }, moment(began + row.at)), by: (row) => row.at },
      { title: "Operation", cell: (row) => row.operation, by: (row) => row.operation },
      { title: "Key", kind: "name", cell: (row) => row.key ? el("span", { title: row.key }, keyName.get(row.key)) : "–", by: (row) => row.key },
      { title: "Principal", kind: "name", cell: (row) => el("span", { title: row.caller }, short(row.caller)), by: (row) => row.caller },
      { title: "Outcome", cell: (row) => badge(row.outcome), by: (row) => row.outcome },
      ...(rows.some((row) => row.test !== (scene.test ?? "")) ? [{ title: "Test", kind: "name", cell: (row) => row.test, by: (row) => row.test }] : []),
    ],
  });
}

// --- the timeline ----------------------------------------------------------------------------------------------

const STATES = { PendingDeletion: "Pending deletion", PendingReplicaDeletion: "Pending replica deletion", PendingImport: "Pending import" };
const LANES = 12;

/** Place all that happened from 0 to 1: one step each, and a gap by the logarithm of the time between. */
function axisOf(scene) {
  const places = new Map();
  const moments = scene.calls.map(([at], place) => ({ at, after: place + 1 }));
  for (const lane of scene.lanes) {
    for (const [at, after] of [...lane.states, ...lane.rotations]) moments.push({ at, after });
  }
  moments.sort((a, b) => a.at - b.at || a.after - b.after);
  const gap = Math.max(1, scene.calls.length / 30);
  const gaps = [];
  let x = 0, last = moments[0];
  for (const one of moments) {
    const seconds = (one.at - last.at) / 1000;
    if (one !== last && (one.at !== last.at || one.after !== last.after)) x += 1 + gap * Math.log10(1 + Math.max(0, seconds));
    if (seconds >= 60) gaps.push({ at: one.at, seconds, x });
    places.set(`${one.at} ${one.after}`, x);
    last = one;
  }
  const end = x + Math.max(1, x * 0.04);
  const start = Math.max(1, x * 0.01);
  const scale = (value) => (value + start) / (end + start);
  return {
    of: (at, after) => scale(places.get(`${at} ${after}`)),
    first: moments[0], start: scale(0),
    gaps: gaps.map((one) => ({ ...one, x: scale(one.x) })),
  };
}

function lasting(seconds) {
  for (const [size, noun] of [[31536000, "year"], [86400, "day"], [3600, "hour"], [60, "minute"]]) {
    if (seconds >= size) return plural(Math.round(10 * seconds / size) / 10, noun);
  }
  return "";
}

function timeline(scene) {
  if (!scene.lanes.length && !scene.calls.length) return el("p", {}, "Nothing happened.");
  const began = Date.parse(scene.began);
  const axis = axisOf(scene);
  const without = scene.calls.filter(([, , key]) => key === null);
  const lanes = scene.lanes.map((lane) => ({ ...lane, key: names[lane.key], calls: [] }));
  const laneOf = new Map(lanes.map((lane) => [lane.key, lane]));
  const placed = scene.calls.map((call, place) => ({ call, x: axis.of(call[0], place + 1) }));
  for (const one of placed) if (one.call[2] !== null) laneOf.get(names[one.call[2]])?.calls.push(one);
  const content = el("div");
  if (without.length) {
    lanes.push({ key: null, states: [], rotations: [], calls: placed.filter(({ call }) => call[2] === null) });
  }

  const cursors = [];
  const told = el("p", { class: "told", "aria-hidden": "true" });
  let current = -1;

  function tell(place) {
    if (!placed.length) return;
    current = Math.min(Math.max(place, 0), placed.length - 1);
    const { call: [at, operation, key, caller, outcome], x } = placed[current];
    for (const cursor of cursors) cursor.style.setProperty("left", `${100 * x}%`);
    const words = `Call ${current + 1} of ${placed.length}, ${moment(began + at)}: ${names[operation]}` +
      `${key === null ? "" : ` on ${nameOfKey(names[key], scene.mock)}`} by ${short(names[caller])}: ${names[outcome]}`;
    told.textContent = words;
    made.setAttribute("aria-valuenow", String(current + 1));
    made.setAttribute("aria-valuetext", words);
  }

  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: -1, ArrowDown: 1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
  const made = el("div", {
    class: "timeline", tabindex: "0", role: "slider", "aria-label": "Calls in the order of time; arrow keys go from call to call",
    "aria-valuemin": "1", "aria-valuemax": String(placed.length), "aria-valuenow": "1", "aria-valuetext": "no call chosen",
    on: {
      keydown: (event) => {
        if (!(event.key in steps)) return;
        event.preventDefault();
        tell(current + steps[event.key]);
      },
      click: (event) => {
        const strip = event.target.closest(".strip");
        if (!strip || !placed.length) return;
        const box = strip.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width;
        let best = 0;
        placed.forEach((one, place) => { if (Math.abs(one.x - x) < Math.abs(placed[best].x - x)) best = place; });
        tell(best);
      },
    },
  });

  function draw(all) {
    cursors.length = 0;
    const shown = lanes.slice(0, all ? 200 : LANES);
    const rows = shown.map((lane) => {
      const cursor = el("div", { class: "cursor" });
      cursors.push(cursor);
      return laneRow(lane, scene, axis, cursor);
    });
    made.replaceChildren(axisRow(axis, began), ...rows);
  }

  draw(false);
  const more = lanes.length > LANES ? el("button", { type: "button", class: "more", on: {
    click: (event) => { draw(true); event.target.hidden = true; } } }, `Show ${lanes.length > 200 ? "200" : "all"} of ${lanes.length} keys`) : null;
  content.append(legend(scene), made, told, ...(more ? [more] : []));
  told.textContent = "Click, or use the arrow keys, to go from call to call. Times without calls are drawn shorter.";
  return content;
}

function axisRow(axis, began) {
  const strip = el("div", { class: "strip" });
  const width = main.clientWidth > 640 ? main.clientWidth - 240 : main.clientWidth - 40;
  const taken = [axis.start];
  const label = (x, at, gap) => el("span", { class: "moment", style: { left: `${100 * x}%` } },
    gap ? el("b", {}, gap) : null, moment(began + at).slice(0, 16));
  strip.append(label(axis.start, axis.first.at, ""));
  for (const gap of [...axis.gaps].sort((a, b) => b.seconds - a.seconds)) {
    // A label is some 120 px wide.
    if (taken.some((x) => Math.abs(x - gap.x) * width < 125) || (1 - gap.x) * width < 110) continue;
    taken.push(gap.x);
    strip.append(label(gap.x, gap.at, `+ ${lasting(gap.seconds)}`));
  }
  return el("div", { class: "lane axis", "aria-hidden": "true" }, el("div", { class: "label" }), strip);
}

function laneRow(lane, scene, axis, cursor) {
  const strip = el("div", { class: "strip" });
  const states = [...lane.states].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  states.forEach(([at, after, name], place) => {
    const state = names[name];
    const from = place === 0 && after === 0 && at <= 0 ? 0 : axis.of(at, after);
    const next = states[place + 1];
    const to = next ? axis.of(next[0], next[1]) : 1;
    strip.append(el("div", { class: `state ${state}`, title: state,
      style: { left: `${100 * from}%`, width: `${100 * (to - from)}%` } }, STATES[state] ?? state));
  });
  const paths = { ok: "", failed: "", denied: "" };
  const tops = { ok: 24, failed: 18, denied: 14 };
  for (const { call, x } of lane.calls) {
    const kind = kindOf(names[call[4]]);
    paths[kind] += `M${(1000 * x).toFixed(2)} ${tops[kind]}V38`;
  }
  strip.append(el("svg", { svg: true, viewBox: "0 0 1000 40", preserveAspectRatio: "none", "aria-hidden": "true" },
    Object.entries(paths).filter(([, d]) => d).map(([kind, d]) => el("path", { svg: true, class: kind, d }))));
  for (const [at, after, kind] of lane.rotations) {
    strip.append(el("span", { class: "rotation", title: `rotation, ${names[kind].toLowerCase()}`, style: { left: `${100 * axis.of(at, after)}%` } }));
  }
  strip.append(cursor);
  const key = keyOf.get(`${scene.mock} ${lane.key}`);
  const refused = lane.calls.filter(({ call }) => names[call[4]] !== "ok").length;
  const name = lane.key === null ? "Calls without a key" : nameOfKey(lane.key, scene.mock);
  const words = `${plural(lane.calls.length, "call")}${refused ? `, ${refused} refused` : ""}${lane.rotations.length ? `, ${plural(lane.rotations.length, "rotation")}` : ""}`;
  return el("div", { class: "lane" },
    el("div", { class: "label", title: lane.key ?? "" }, name, el("small", {}, key ? `${key.spec} · ${words}` : words)), strip);
}

function legend(scene) {
  const states = [...new Set(scene.lanes.flatMap((lane) => lane.states.map(([, , state]) => names[state])))];
  return el("p", { class: "legend" },
    states.filter((state) => state !== "Deleted").map((state) => el("span", {}, el("span", { class: `state ${state}` }), STATES[state] ?? state)),
    el("span", {}, el("span", { class: "swatch" }), "call"),
    el("span", {}, el("span", { class: "swatch denied" }), "denied"), el("span", {}, el("span", { class: "swatch failed" }), "failed"),
    scene.lanes.some((lane) => lane.rotations.length) ? el("span", {}, el("span", { class: "rotation" }), "rotation") : null);
}

// --- who may, and who did -------------------------------------------------------------------------------------------

const MAY = { yes: ["yes", "may"], no: ["no", "may not"], "with context": ["context", "may with context"] };

function matrices(scene) {
  const byKey = Map.groupBy ? Map.groupBy(scene.permissions, (row) => row[0]) : group(scene.permissions);
  return [el("p", { class: "quiet" }, "Decided by key policies, identity policies and grants as they were at the end. " +
    "“May with context”: only with an encryption context that calls had. A number: how often it was done; ✗: how often refused."),
  ...[...byKey].map(([key, rows]) => matrix(names[key], rows, scene))];
}

function group(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row[0], [...(groups.get(row[0]) ?? []), row]);
  return groups;
}

function matrix(key, rows, scene) {
  const principals = [...new Set(rows.map((row) => row[1]))], actions = [...new Set(rows.map((row) => row[2]))];
  const found = new Map(rows.map((row) => [`${row[1]} ${row[2]}`, row]));
  const why = el("p", { role: "status" });
  const cells = [];
  let chosen = null;

  function cell(principal, action) {
    const row = found.get(`${principal} ${action}`);
    if (!row) return el("td");
    const [, , , may, reason, did, refused] = row;
    const [kind, words] = MAY[names[may]];
    const sign = { yes: "✓", no: "–", context: "◐" }[kind];
    const button = el("button", {
      type: "button", class: `cell ${kind}`, tabindex: cells.length ? "-1" : "0", "aria-pressed": "false",
      on: {
        click: () => {
          chosen?.setAttribute("aria-pressed", "false");
          chosen = button;
          button.setAttribute("aria-pressed", "true");
          why.textContent = `${short(names[principal])} ${words} ${names[action]}: ${names[reason]}.`;
        },
      },
    }, el("span", { "aria-hidden": "true" }, sign, did ? ` ${count(did)}` : ""),
    refused ? el("span", { class: "refused", "aria-hidden": "true" }, ` ✗${count(refused)}`) : null,
    el("span", { class: "hidden" }, `${words}, done ${did} times, refused ${refused} times`));
    cells.push(button);
    return el("td", {}, button);
  }

  const body = el("tbody", {}, principals.map((principal) => el("tr", {},
    el("th", { scope: "row", title: names[principal] }, short(names[principal])), actions.map((action) => cell(principal, action)))));
  body.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: actions.length, ArrowUp: -actions.length }[event.key];
    const to = cells[cells.indexOf(document.activeElement) + step];
    if (step === undefined || to === undefined) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
  return el("div", {}, el("div", { class: "scroll" }, el("table", { class: "matrix" },
    el("caption", { class: "hidden" }, `Who may and who did, with key ${nameOfKey(key, scene.mock)}`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col", title: key }, nameOfKey(key, scene.mock)),
      actions.map((action) => el("th", { scope: "col" }, names[action].replace("kms:", ""))))), body)), why);
}

// --- keys, and the slowest calls ----------------------------------------------------------------------------------------

function showKeys() {
  if (!report.keys.length) return;
  const isUnused = (key) => !key.used && key.manager !== "AWS";
  section("Keys", "All keys of all mocks. One is never used when no cryptographic operation succeeded with it.", pagedTable({
    title: "Keys", rows: report.keys, extra: "never used", keep: isUnused,
    text: (key) => `${key.arn} ${key.aliases.join(" ")} ${key.description} ${key.spec} ${key.usage} ${key.state} ${key.test}`,
    columns: [
      { title: "Key", kind: "name", by: (key) => nameOfKey(key.arn, key.mock), cell: (key) =>
        [nameOfKey(key.arn, key.mock), el("br"), el("span", { class: "quiet mono", title: key.arn }, short(key.arn).slice(0, 12))] },
      { title: "Spec", cell: (key) => key.spec, by: (key) => key.spec },
      { title: "State", cell: (key) => STATES[key.state] ?? key.state, by: (key) => key.state },
      { title: "Calls", kind: "number", cell: (key) => count(key.tally.calls), by: (key) => key.tally.calls },
      { title: "Cost", kind: "number", cell: (key) => usd(key.tally.cost), by: (key) => Number(key.tally.cost) },
      { title: "Used", cell: (key) => isUnused(key) ? el("span", { class: "badge failed" }, "never") : key.used ? "yes" : "–", by: (key) => Number(key.used) },
      { title: "Made by", kind: "name", cell: (key) => el("span", { class: "mono" }, key.test ?? "outside of tests"), by: (key) => key.test ?? "" },
    ],
  }));
}

function showSlowest() {
  if (!report.slowest.length) return;
  section("Slowest calls", "In real time, as long as the mock took to answer.", el("div", { class: "scroll" }, el("table", { class: "rows" },
    el("thead", {}, el("tr", {}, ["ms", "Operation", "Key spec", "Test"].map((title, place) =>
      el("th", { scope: "col", class: place ? "" : "number" }, title)))),
    el("tbody", {}, report.slowest.map((slow) => el("tr", {}, el("td", { class: "number" }, (slow.seconds * 1000).toFixed(2)),
      el("td", {}, slow.operation), el("td", {}, slow.spec ?? "–"), el("td", { class: "name mono" }, slow.test ?? "outside of tests")))))));
}

// --- all of it --------------------------------------------------------------------------------------------------------------

showHead();
if (report.total.calls) {
  showBars();
  showRefusals();
  showScenes();
  showKeys();
  showSlowest();
} else {
  main.append(el("p", { class: "card" }, "No KMS calls."));
}
// What is folded away on a screen is read on paper.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
performance.mark("shown");
