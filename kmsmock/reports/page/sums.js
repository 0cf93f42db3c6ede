// --- head and figures ----------------------------------------------------------------------------

function tile(kind, figure, name, ...about) {
  return el("div", { class: `tile ${kind}` }, el("b", {}, figure), el("span", {}, name),
    about.map((line) => el("span", { class: "quiet" }, line)));
}

function showHead() {
  const { total, storage, storage_moved: moved, specs } = report;
  const when = report.made ? `${report.made.slice(0, 16).replace("T", " ")} UTC · ` : "";
  if (!hasTests) document.getElementById("title").textContent = document.title = "KMS of this server";
  document.getElementById("run").textContent = when + (hasTests
    ? `${plural(report.tests_run, "test")} run, ${count(report.tests_failed)} failed · ` +
      `${count(Object.keys(report.tests).length)} of them called KMS`
    : "since the server has started, until this page was loaded");
  const keys = Object.values(specs).reduce((sum, spec) => sum + spec.keys, 0);
  const unused = Object.values(specs).reduce((sum, spec) => sum + spec.unused, 0);
  main.append(el("div", { class: "tiles" }, ...[
    tile("", count(total.calls), "KMS calls", plural(Object.keys(report.operations).length, "operation")),
    tile("", usd(Number(total.cost) + Number(storage)), "at AWS's list prices", `requests ${usd(total.cost)}`,
      `keys ${usd(Number(storage) - Number(moved))}`, ...(Number(moved) ? [`moved time ${usd(moved)}`] : [])),
    tile(total.denied ? "denied" : "", count(total.denied), "denied", "by policies and grants"),
    tile(total.failed ? "failed" : "", count(total.failed), "failed", "for other reasons"),
    total.injected ? tile("injected", count(total.injected), "injected", "errors by kms.faults") : null,
    tile("", count(keys), "keys", `${count(unused)} never used`)].filter(Boolean)));
  const omitted = Object.entries(report.omitted).map(([what, number]) => `${count(number)} ${what}`);
  if (omitted.length) report.notes.push(`Only in the sums, to keep this page small: ${omitted.join(", ")}.`);
  for (const note of report.notes) main.append(el("p", { class: "card note", role: "note" }, note));
}

// --- bars ----------------------------------------------------------------------------------------

const BARS = 8;

/** The measures that bars can show, and the parts of each: class name, label, size in an entry. */
const MEASURES = {
  calls: {
    label: "Calls", show: count,
    parts: [
      ["", "succeeded", ({ tally }) => tally.calls - tally.denied - tally.failed - tally.injected],
      ["denied", "denied", ({ tally }) => tally.denied],
      ["failed", "failed", ({ tally }) => tally.failed],
      ...(report.total.injected ? [["injected", "injected by kms.faults", ({ tally }) => tally.injected]] : []),
    ],
  },
  cost: {
    label: "Cost", show: usd,
    parts: [
      ["", "requests", ({ tally }) => Number(tally.cost)],
      ["storage", "keeping the key", ({ storage, moved }) => Number(storage ?? 0) - Number(moved ?? 0)],
      ...(Number(report.storage_moved) ? [["moved", "keeping it for moved time", ({ moved }) => Number(moved ?? 0)]] : []),
    ],
  },
};

/** Draw a table of bars. entries: name as text, shown (elements), full title, tally, and storage of keys. */
function bars(title, entries, chosen) {
  const body = el("tbody");
  const button = el("button", { type: "button", class: "more", on: { click: () => { all = !all; draw(); } } });
  let all = false;

  function row({ entry, size }, largest, { show, parts }) {
    const shares = parts.map(([kind, words, sizeIn]) => ({ kind, words, part: sizeIn(entry) })).filter(({ part }) => part > 0);
    const words = shares.map(({ words, part }) => `${show(part)} ${words}`).join(", ");
    return [
      el("tr", {}, el("th", { scope: "row", title: entry.full ?? entry.name }, entry.shown ?? breakable(entry.name)),
        el("td", {}, show(size), shares.length > 1 ? el("span", { class: "hidden" }, `: ${words}`) : null)),
      el("tr", { "aria-hidden": "true" }, el("td", { class: "track", colspan: "2", title: words },
        el("div", {}, shares.map(({ kind, part }) => el("i", { class: kind, style: { width: `${100 * part / largest}%` } }))))),
    ];
  }

  function draw() {
    const measure = chosen();
    const found = entries.map((entry) => ({ entry, size: measure.parts.reduce((sum, [, , sizeIn]) => sum + sizeIn(entry), 0) }))
      .filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
    body.replaceChildren(...found.slice(0, all ? 500 : BARS).flatMap((one) => row(one, found[0].size, measure)));
    if (!found.length) body.append(el("tr", {}, el("td", { class: "quiet" }, "None.")));
    button.textContent = all ? "Show fewer" : `Show ${found.length > 500 ? "the first 500" : `all ${found.length}`}`;
    button.hidden = found.length <= BARS;
    button.setAttribute("aria-expanded", String(all));
  }

  draw();
  const table = el("table", { class: "bars" }, el("caption", { class: "hidden" }, title), body);
  return { made: el("div", {}, el("h3", {}, title), table, button), draw };
}

/** Describe a key: its key spec; if several have its name, the test that created it. */
function tellingApart({ spec, test }, name) {
  return test && keysCalled.get(name) > 1 ? test.split("::").pop() : spec;
}

function showBars() {
  let measure = MEASURES.calls;
  const legend = el("p", { class: "legend" });
  const lists = [
    ["By operation", Object.entries(report.operations).map(([name, tally]) => ({ name, tally }))],
    ["By key", report.keys.map((key) => {
      const name = keyText(key.arn, key.mock);
      return { name, shown: [breakable(nameOfKey(key.arn, key.mock)), el("span", { class: "quiet" }, " ", breakable(tellingApart(key, name))), placeLine(placeOfKey(key.arn))],
        full: hasTests ? `${key.arn}, made by ${key.test ?? "no test"}` : key.arn, tally: key.tally, storage: key.storage, moved: key.storage_moved };
    })],
    hasTests && ["By test", Object.entries(report.tests).map(([name, tally]) => ({ name, shown: testName(name), tally }))],
  ].filter(Boolean).map(([title, entries]) => bars(title, entries, () => measure));

  function choose(name) {
    measure = MEASURES[name];
    legend.replaceChildren(...measure.parts.map(([kind, words]) => el("span", {}, el("i", { class: `part ${kind}` }), words)));
    for (const list of lists) list.draw();
  }

  const choices = Object.entries(MEASURES).map(([value, { label }]) => el("label", {},
    el("input", { type: "radio", name: "measure", value, checked: value === "calls", on: { change: () => choose(value) } }), label));
  choose("calls");
  section("Calls and cost", "At AWS's list prices, before the free tier." + (Number(report.storage_moved)
    ? ` Moved time is what passed only on the clocks of mocks, which ${hasTests ? "tests have" : "somebody has"} moved.` : ""),
    el("div", { class: "controls" }, el("fieldset", { class: "segments" },
      el("legend", { class: "hidden" }, "Measure of the bars"), choices)), legend,
    el("div", { class: "thirds" }, lists.map((list) => list.made)));
}
