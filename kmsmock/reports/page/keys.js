// --- keys, and the slowest calls -----------------------------------------------------------------

function showKeys() {
  if (!report.keys.length) return;
  const isUnused = (key) => !key.used && key.manager !== "AWS";
  section("Keys", "All keys of all mocks. A key is never used if no cryptographic operation succeeded with it.", pagedTable({
    title: "Keys", rows: report.keys, extra: "never used", keep: isUnused,
    text: (key) => `${key.arn} ${key.aliases.join(" ")} ${key.description} ${key.spec} ${key.usage} ${key.state} ${key.test}`,
    columns: [
      { title: "Key", kind: "name", by: (key) => nameOfKey(key.arn, key.mock), cell: (key) =>
        [breakable(nameOfKey(key.arn, key.mock)), el("br"), el("span", { class: "quiet mono", title: key.arn }, short(key.arn).slice(0, 12))] },
      { title: "Spec", cell: (key) => key.spec, by: (key) => key.spec },
      { title: "State", cell: (key) => STATES[key.state] ?? key.state, by: (key) => key.state },
      { title: "Calls", kind: "number", cell: (key) => count(key.tally.calls), by: (key) => key.tally.calls },
      { title: "Cost", kind: "number", cell: (key) => usd(costOfKey(key)), by: costOfKey },
      { title: "Used", cell: (key) => isUnused(key) ? el("span", { class: "badge failed" }, "never") : key.used ? "yes" : "–", by: (key) => Number(key.used) },
      { title: "Made by", kind: "name", cell: (key) => testName(key.test), by: (key) => key.test ?? "" },
    ],
  }));
}

function showSlowest() {
  if (!report.slowest.length) return;
  section("Slowest calls", "The real time that the mock took to answer.", el("div", { class: "scroll" }, el("table", { class: "rows" },
    el("thead", {}, el("tr", {}, ["ms", "Operation", "Key spec", "Test"].map((title, place) =>
      el("th", { scope: "col", class: place ? "" : "number" }, title)))),
    el("tbody", {}, report.slowest.map((slow) => el("tr", {}, el("td", { class: "number" }, (slow.seconds * 1000).toFixed(2)),
      el("td", {}, slow.operation), el("td", {}, slow.spec ?? "–"), el("td", { class: "name" }, testName(slow.test))))))));
}
