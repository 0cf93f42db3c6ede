// --- keys, and the slowest calls -----------------------------------------------------------------

function showKeys() {
  if (!report.keys.length) return;
  const isUnused = (key) => !key.used && key.manager !== "AWS";
  section("Keys", `All keys${hasTests ? " of all mocks" : ""}. A key is never used if no cryptographic operation succeeded with it.`, pagedTable({
    title: "Keys", rows: report.keys,
    filters: [["never used", isUnused], ...(failedTests.size ? [["of tests that failed", (key) => failedTests.has(key.test)]] : [])],
    text: (key) => `${key.arn} ${key.aliases.join(" ")} ${key.description} ${key.spec} ${key.usage} ${key.state} ${key.test}`,
    columns: [
      { title: "Key", kind: "name", by: (key) => keyText(key.arn, key.mock), cell: (key) => [
        el("span", { title: key.arn }, breakable(nameOfKey(key.arn, key.mock))),
        placeLine(nameOfKey(key.arn, key.mock) !== idOfKey(key.arn) && idOfKey(key.arn), placeOfKey(key.arn))] },
      { title: "Spec", cell: (key) => key.spec, by: (key) => key.spec },
      { title: "State", cell: (key) => STATES[key.state] ?? key.state, by: (key) => key.state },
      { title: "Calls", kind: "number", cell: (key) => count(key.tally.calls), by: (key) => key.tally.calls },
      { title: "Cost", kind: "number", by: costOfKey, cell: (key) => [usd(costOfKey(key)),
        Number(key.storage_moved) ? placeLine(`moved time ${usd(key.storage_moved)}`) : null] },
      { title: "Used", cell: (key) => isUnused(key) ? el("span", { class: "badge failed" }, "never") : key.used ? "yes" : "–", by: (key) => Number(key.used) },
      hasTests && { title: "Made by", kind: "name", cell: (key) => testName(key.test), by: (key) => key.test ?? "" },
    ].filter(Boolean),
  }));
}

function showQuotas() {
  if (!report.quotas.length) return;
  const share = (row) => row.per_second > 0 ? row.peak / row.per_second : 0;
  section("Request quotas", `The most requests per second${hasTests ? " of all mocks, by their clocks" : ", by the clock of the mock"}, against AWS's request quotas. ` +
    "As many times this traffic as the limit says are not throttled yet.", pagedTable({
    title: "Request quotas", rows: report.quotas, size: 10, filters: [["throttled", (row) => share(row) > 1]],
    text: (row) => `${row.quota} ${row.region} ${row.account} ${Object.keys(row.operations).join(" ")} ${row.test}`,
    columns: [
      { title: "Quota", kind: "name", by: (row) => row.quota, cell: (row) => [breakable(row.quota), placeLine(row.region, row.account)] },
      { title: "Peak/s", kind: "number", by: (row) => row.peak, cell: (row) => count(row.peak) },
      { title: "Quota/s", kind: "number", by: (row) => row.per_second, cell: (row) => count(row.per_second) },
      { title: "Share", kind: "number", by: share, cell: (row) => `${(100 * share(row)).toFixed(1)} %` },
      { title: "Limit at", kind: "number", cell: (row) => row.peak > 0 ? `x ${count(Math.floor(10 * row.per_second / row.peak) / 10)}` : "–" },
      { title: "Requests", kind: "name", cell: (row) => Object.entries(row.operations).map(([name, number]) => `${count(number)} ${name}`).join(", ") },
      hasTests && { title: "Test", kind: "name", cell: (row) => testName(row.test), by: (row) => row.test ?? "" },
    ].filter(Boolean),
  }));
}

function showSlowest() {
  if (!report.slowest.length) return;
  section("Slowest calls", "The real time that the mock took to answer.", el("div", { class: "scroll" }, el("table", { class: "rows" },
    el("thead", {}, el("tr", {}, ["ms", "Operation", "Key spec", ...(hasTests ? ["Test"] : [])].map((title, place) =>
      el("th", { scope: "col", class: place ? "" : "number" }, title)))),
    el("tbody", {}, report.slowest.map((slow) => el("tr", {}, el("td", { class: "number" }, (slow.seconds * 1000).toFixed(2)),
      el("td", {}, slow.operation), el("td", {}, slow.spec ?? "–"), hasTests ? el("td", { class: "name" }, testName(slow.test)) : null))))));
}
