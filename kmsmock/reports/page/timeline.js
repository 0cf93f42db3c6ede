// --- the timeline --------------------------------------------------------------------------------

const LANES = 12;

/** Map all events to 0..1: one step for each, and gaps by the logarithm of the time between them. */
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
  const end = x + Math.max(0.5, x * 0.07);
  const start = Math.max(0.2, x * 0.01);
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
  const placedCalls = scene.calls.map((call, place) => ({ call, x: axis.of(call[0], place + 1) }));
  for (const one of placedCalls) if (one.call[2] !== null) laneOf.get(names[one.call[2]])?.calls.push(one);
  const content = el("div");
  if (without.length) {
    lanes.push({ key: null, states: [], rotations: [], calls: placedCalls.filter(({ call }) => call[2] === null) });
  }

  const cursors = [];
  const told = el("p", { class: "told", "aria-hidden": "true" });
  let current = -1;

  function tell(place) {
    current = Math.min(Math.max(place, 0), placedCalls.length - 1);
    const { call: [at, operation, key, caller, outcome, , injected], x } = placedCalls[current];
    for (const cursor of cursors) {
      cursor.style.setProperty("left", `${100 * x}%`);
      cursor.hidden = false;
    }
    const words = `Call ${current + 1} of ${placedCalls.length}, ${moment(began + at)}: ${names[operation]}` +
      `${key === null ? "" : ` on ${keyText(names[key], scene.mock)}`} by ${principalText(names[caller])}: ${names[outcome]}${injected ? ", injected" : ""}`;
    told.textContent = words;
    made.setAttribute("aria-valuenow", String(current + 1));
    made.setAttribute("aria-valuetext", words);
  }

  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: -1, ArrowDown: 1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
  const made = placedCalls.length === 0 ? el("div", { class: "timeline" }) : el("div", {
    class: "timeline", tabindex: "0", role: "slider", "aria-label": "Calls in order of time; arrow keys move from call to call",
    "aria-valuemin": "1", "aria-valuemax": String(placedCalls.length), "aria-valuenow": "1", "aria-valuetext": "no call chosen",
    on: {
      keydown: (event) => {
        if (!(event.key in steps)) return;
        event.preventDefault();
        tell(current + steps[event.key]);
      },
      click: (event) => {
        const strip = event.target.closest(".strip");
        if (!strip) return;
        const box = strip.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width;
        let best = 0;
        placedCalls.forEach((one, place) => { if (Math.abs(one.x - x) < Math.abs(placedCalls[best].x - x)) best = place; });
        tell(best);
      },
    },
  });

  function draw(all) {
    cursors.length = 0;
    const shown = lanes.slice(0, all ? 200 : LANES);
    const rows = shown.map((lane) => {
      const cursor = el("div", { class: "cursor", hidden: true });
      cursors.push(cursor);
      return laneRow(lane, scene, axis, cursor);
    });
    made.replaceChildren(axisRow(axis, began), ...rows);
    if (current >= 0) tell(current);
  }

  draw(false);
  const more = lanes.length > LANES ? el("button", { type: "button", class: "more", on: {
    click: (event) => { draw(true); event.target.hidden = true; } } }, `Show ${lanes.length > 200 ? "200" : "all"} of ${lanes.length} keys`) : null;
  content.append(legend(scene), made, told, ...(more ? [more] : []));
  if (placedCalls.length) told.textContent = "Click, or use the arrow keys, to move from call to call. Times without calls are compressed.";
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
  const paths = { ok: "", injected: "", failed: "", denied: "" };
  const tops = { ok: 24, injected: 18, failed: 18, denied: 14 };
  for (const { call, x } of lane.calls) {
    const kind = kindOf(names[call[4]], call[6]);
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
  const place = lane.key === null ? "" : placeOfKey(lane.key);
  const words = `${plural(lane.calls.length, "call")}${refused ? `, ${refused} refused` : ""}${lane.rotations.length ? `, ${plural(lane.rotations.length, "rotation")}` : ""}`;
  return el("div", { class: "lane" },
    el("div", { class: "label", title: key ? `${lane.key}, ${key.spec}` : lane.key }, name,
      el("small", {}, words), place ? el("small", {}, place) : null), strip);
}

function legend(scene) {
  const states = [...new Set(scene.lanes.flatMap((lane) => lane.states.map(([, , state]) => names[state])))];
  return el("p", { class: "legend" },
    states.filter((state) => state !== "Deleted").map((state) => el("span", {}, el("span", { class: `state ${state}` }), STATES[state] ?? state)),
    el("span", {}, el("span", { class: "swatch" }), "call"),
    el("span", {}, el("span", { class: "swatch denied" }), "denied"), el("span", {}, el("span", { class: "swatch failed" }), "failed"),
    scene.calls.some((call) => call[6]) ? el("span", {}, el("span", { class: "swatch injected" }), "injected by kms.faults") : null,
    scene.lanes.some((lane) => lane.rotations.length) ? el("span", {}, el("span", { class: "rotation" }), "rotation") : null);
}
