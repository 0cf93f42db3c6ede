// --- one scene: timeline, permissions, calls -----------------------------------------------------

/** Return the scenes with their titles: those of failed tests first, then those with most calls. */
function sortedScenes() {
  const parts = new Map();
  const scenes = report.scenes.map((scene) => {
    const test = scene.test ?? (hasTests ? "outside of tests" : "since the start");
    const part = (parts.get(test) ?? 0) + 1;
    parts.set(test, part);
    const refused = scene.calls.filter((call) => names[call[4]] !== "ok").length;
    const turns = scene.lanes.reduce((sum, lane) => sum + lane.states.length - 1 + lane.rotations.length, 0);
    const title = `${test}${part === 1 ? "" : `, part ${part}`}${failedTests.has(test) ? ", failed" : ""}` +
      ` (${plural(scene.calls.length, "call")}${refused ? `, ${count(refused)} refused` : ""})`;
    return { scene, title, failed: failedTests.has(test), weights: [Number(failedTests.has(test)), refused + turns, scene.calls.length] };
  });
  return scenes.sort((a, b) => a.weights.reduce((order, weight, place) => order || b.weights[place] - weight, 0));
}

function showScenes() {
  if (!report.scenes.length) return;
  const all = sortedScenes();
  let scenes = all;
  const content = el("div");
  const select = el("select", { on: { change: () => show(Number(select.value)) } });
  const step = (by) => () => {
    select.value = String((Number(select.value) + by + scenes.length) % scenes.length);
    show(Number(select.value));
  };

  function choose(found) {
    scenes = found;
    select.replaceChildren(...scenes.map(({ title }, place) => el("option", { value: place }, title)));
    show(0);
  }

  function show(place) {
    const { scene } = scenes[place];
    const parts = [el("h3", {}, "Keys and calls over time"), timeline(scene)];
    if (scene.permissions.length) parts.push(el("h3", {}, "Permissions and calls"), matrix(scene));
    else if (!scene.enforced) parts.push(el("p", { class: "quiet" }, "Policies were not enforced: the option authorization was off."));
    parts.push(el("h3", {}, "Calls"), callTable(scene));
    content.replaceChildren(...parts);
  }

  const [title, about, part] = hasTests
    ? ["Test by test", "The history of one mock, on its own clock: choose the test that started it.", "test"]
    : ["History", "What clients have called, on the clock of the mock. A new part begins when a state is restored.", "part"];
  section(title, about,
    el("div", { class: "controls" },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, hasTests ? "Test" : "Part"), select),
      all.some(({ failed }) => failed) && !all.every(({ failed }) => failed) ? el("label", {}, el("input", { type: "checkbox", on: {
        change: (event) => choose(event.target.checked ? all.filter(({ failed }) => failed) : all) } }), "only tests that failed") : null,
      scenes.length > 1 ? [el("button", { type: "button", on: { click: step(-1) } }, `Previous ${part}`),
        el("button", { type: "button", on: { click: step(1) } }, `Next ${part}`)] : null),
    content);
  choose(all);
}

function callTable(scene) {
  const began = Date.parse(scene.began);
  const rows = scene.calls.map(([at, operation, key, caller, outcome, test, injected], place) =>
    ({ place, at, operation: names[operation], key: key === null ? "" : names[key], caller: names[caller], outcome: names[outcome],
      test: test === null ? "" : names[test], injected: Boolean(injected) }));
  const textOfKey = new Map();
  for (const { key } of rows) if (key && !textOfKey.has(key)) textOfKey.set(key, keyText(key, scene.mock));
  const filters = [["only denied and failed", (row) => row.outcome !== "ok"]];
  if (rows.some((row) => row.injected)) filters.push(["only injected", (row) => row.injected]);
  return pagedTable({
    title: "Calls", rows, filters,
    text: (row) => `${row.operation} ${row.key} ${textOfKey.get(row.key)} ${row.caller} ${row.outcome} ${row.test}${row.injected ? " injected" : ""}`,
    columns: [
      { title: "#", kind: "number", cell: (row) => String(row.place + 1), by: (row) => row.place },
      { title: "Time, UTC", cell: (row) => el("span", { class: "mono" }, moment(began + row.at)), by: (row) => row.at },
      { title: "Operation", cell: (row) => row.operation, by: (row) => row.operation },
      { title: "Key", kind: "name", cell: (row) => row.key ? el("span", { title: row.key }, breakable(nameOfKey(row.key, scene.mock)), placeLine(placeOfKey(row.key))) : "–", by: (row) => textOfKey.get(row.key) ?? "" },
      { title: "Principal", kind: "name", cell: (row) => el("span", { title: row.caller }, breakable(short(row.caller)), placeLine(placeOfPrincipal(row.caller))), by: (row) => row.caller },
      { title: "Outcome", cell: (row) => badge(row.outcome, row.injected), by: (row) => row.outcome },
      ...(rows.some((row) => row.test !== (scene.test ?? "")) ? [{ title: "Test", kind: "name", cell: (row) => testName(row.test), by: (row) => row.test }] : []),
    ],
  });
}
