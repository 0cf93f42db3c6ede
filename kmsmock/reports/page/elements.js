"use strict";

const report = JSON.parse(document.getElementById("data").textContent);
const names = report.names;
const main = document.getElementById("main");

// --- creating elements; strings become text nodes, never markup ----------------------------------

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
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

const count = (number) => number.toLocaleString("en-US");
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const short = (arn) => arn.split(":").slice(5).join(":") || arn;
const moment = (ms) => new Date(ms).toISOString().slice(0, 23).replace("T", " ").replace(".000", "");

/** Format an amount in USD, with enough decimals for the price of one request. */
function usd(amount) {
  const cents = Number(amount) === 0 || Math.abs(amount) >= 1;
  return Number(amount).toLocaleString("en-US", {
    style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: cents ? 2 : 6 });
}

/** Allow line breaks in a name between its words only. */
const breakable = (name) => name.split(/(?<=[_/:.])|(?<=[a-z])(?=[A-Z])/)
  .flatMap((word, place) => place ? [el("wbr"), word] : [word]);

/** Format a test: its name, then its file. */
function testName(test) {
  if (!test) return el("span", { class: "quiet" }, hasTests ? "outside of tests" : "");
  const [file, ...name] = test.split(/(?<=::)/);
  return name.length ? [el("span", { class: "quiet" }, breakable(file)), breakable(name.join(""))] : breakable(test);
}

function section(title, about, ...content) {
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  document.getElementById("sections").append(el("a", { href: `#${id}` }, title));
  const made = el("section", { class: "card", id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title), el("p", { class: "quiet" }, about), ...content);
  main.append(made);
  return made;
}

// --- names of keys and principals ----------------------------------------------------------------

const accountOf = (arn) => arn.split(":")[4] ?? "";
const regionOf = (arn) => arn.split(":")[3] ?? "";
const callers = [...report.scenes.flatMap((scene) => [...scene.calls.map((call) => names[call[3]]), ...scene.permissions.map((row) => names[row[1]])]),
  ...report.refusals.map((refusal) => refusal.caller)];
/** Whether there are several accounts or Regions, which then stand beside keys and principals. */
const several = {
  accounts: new Set([...report.keys.map((key) => key.arn), ...callers].map(accountOf).filter(Boolean)).size > 1,
  regions: new Set(report.keys.map((key) => regionOf(key.arn))).size > 1,
};
const placeOfKey = (arn) => [several.regions && regionOf(arn), several.accounts && accountOf(arn)].filter(Boolean).join(", ");
const placeOfPrincipal = (arn) => several.accounts ? accountOf(arn) : "";
const withPlace = (name, place) => place ? `${name} (${place})` : name;
/** Format a name with the account or Region beside it. */
const placeLine = (...places) => places.some(Boolean) ? el("span", { class: "place line" },
  places.filter(Boolean).flatMap((place) => place.split(/(?<=,) /)).flatMap((word) => [el("span", {}, word), " "])) : null;
const placed = (name, place) => [breakable(name), place ? el("span", { class: "place" }, ` ${place}`) : null];
const principalText = (arn) => withPlace(short(arn), placeOfPrincipal(arn));
const principalName = (arn) => placed(short(arn), placeOfPrincipal(arn));

const keyOf = new Map(report.keys.map((key) => [`${key.mock} ${key.arn}`, key]));

const idOfKey = (arn) => short(arn).slice(0, 12);

function nameOfKey(arn, mock) {
  const key = keyOf.get(`${mock} ${arn}`) ?? report.keys.find((one) => one.arn === arn);
  return key?.aliases[0] || key?.description || idOfKey(arn);
}

const keyText = (arn, mock) => withPlace(nameOfKey(arn, mock), placeOfKey(arn));
const keyName = (arn, mock) => placed(nameOfKey(arn, mock), placeOfKey(arn));

/** Name -> number of keys with it: tests often create a key with the same alias. */
const keysCalled = new Map();
for (const { arn, mock } of report.keys) {
  const name = keyText(arn, mock);
  keysCalled.set(name, (keysCalled.get(name) ?? 0) + 1);
}

const costOfKey = (key) => Number(key.tally.cost) + Number(key.storage);
/** Whether calls were made in tests, and not to a server. */
const hasTests = !report.is_of_server;

const failedTests = new Set(Object.keys(report.tests).filter((test) => report.tests[test].outcome === "failed"));
const kindOf = (outcome, isInjected) =>
  outcome === "ok" ? "ok" : isInjected ? "injected" : outcome === "AccessDeniedException" ? "denied" : "failed";
const badge = (outcome, isInjected) => [
  el("span", { class: `badge ${kindOf(outcome, isInjected)}` }, outcome.replace(/Exception$/, "")),
  isInjected ? [" ", el("span", { class: "badge injected", title: "kms.faults of the test has caused this error" }, "injected")] : null];
const STATES = { PendingDeletion: "Pending deletion", PendingReplicaDeletion: "Pending replica deletion", PendingImport: "Pending import" };
/** Tell what is known of an error: if its test has passed, the test has expected it. */
const isExpected = (test) => report.tests[test]?.outcome === "passed";
function outcomeOf(test) {
  if (failedTests.has(test)) return el("span", { class: "badge failed" }, "test failed");
  return isExpected(test) ? el("span", { class: "badge plain", title: "The test has passed: it has caught the error, or a retry has succeeded." }, "expected") : null;
}

// --- the theme -----------------------------------------------------------------------------------

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const themes = ["system", "light", "dark"];
let theme = "system";
try { theme = localStorage.getItem("kmsmock-theme") || theme; } catch { /* no storage for file: URLs */ }

function showTheme() {
  const dark = theme === "dark" || (theme === "system" && darkSystem.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = `Theme: ${theme === "system" ? "as the system" : theme}`;
}
darkSystem.addEventListener("change", showTheme);
document.getElementById("theme").addEventListener("click", () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  try { localStorage.setItem("kmsmock-theme", theme); } catch { /* not stored then */ }
  showTheme();
});
showTheme();
