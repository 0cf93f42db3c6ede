// --- refusals ------------------------------------------------------------------------------------

function showRefusals() {
  if (!report.refusals.length) return;
  const SIZE = 25;
  let wanted = "", kind = "all", which = "all", shown = SIZE;
  const list = el("div"), told = el("span", { role: "status" });
  const more = el("button", { type: "button", class: "more", on: { click: () => { shown += SIZE; draw(); } } }, "Show more");
  /** Whether calls succeeded, with an answer that lacks something. */
  const isAnswer = ({ code }) => code === "ok";
  const weight = (one) => [failedTests.has(one.test), !isExpected(one.test), !one.is_injected].map(Number);
  const sorted = report.refusals.map((one) => ({ one, weights: weight(one) }))
    .sort((a, b) => a.weights.reduce((order, size, place) => order || b.weights[place] - size, 0)).map(({ one }) => one);
  const TESTS = {
    all: ["In all tests", () => true],
    failed: ["In tests that failed", ({ test }) => failedTests.has(test)],
    expected: ["Expected: the test passed", (one) => !isAnswer(one) && isExpected(one.test)],
    other: ["Outside of tests, or skipped", ({ test }) => !failedTests.has(test) && !isExpected(test)],
  };

  function refusal(one) {
    const parts = [isAnswer(one) ? el("span", { class: "badge ok" }, "incomplete answer") : badge(one.code, one.is_injected), el("b", {}, one.operation),
      one.key ? el("span", { title: one.key }, keyName(one.key, one.test)) : null,
      el("span", { class: "quiet", title: one.caller }, "by ", principalName(one.caller)),
      one.times > 1 ? el("span", { class: "badge plain" }, `${count(one.times)} times`) : null,
      isAnswer(one) && isExpected(one.test) ? null : outcomeOf(one.test)];
    return el("details", { class: "refusal" },
      el("summary", {}, parts.filter(Boolean).map((part) => [part, " "]),
        el("span", { class: "why" }, one.reason),
        hasTests ? el("span", { class: "test" }, testName(one.test)) : null),
      one.message ? el("p", {}, el("span", { class: "quiet" }, "AWS says: "), one.message) : null,
      one.text ? el("pre", { tabindex: "0" }, one.text) : null);
  }

  function draw() {
    const found = sorted.filter((one) => (kind === "all" || kindOf(one.code, one.is_injected) === kind) && TESTS[which][1](one)
      && (!wanted || Object.values(one).join(" ").toLowerCase().includes(wanted)));
    list.replaceChildren(...found.slice(0, shown).map(refusal));
    told.textContent = `${count(found.length)} of ${count(sorted.length)}`;
    more.hidden = found.length <= shown;
  }

  const choice = (label, options, choose) => el("label", {}, el("span", { class: "hidden" }, label),
    el("select", { on: { change: (event) => { choose(event.target.value); shown = SIZE; draw(); } } },
      options.map(([value, words]) => el("option", { value }, words))));
  const kinds = [["all", "Denied and failed"], ["denied", "Denied"], ["failed", "Failed"],
    ...(report.total.injected ? [["injected", "Injected by kms.faults"]] : []),
    ...(sorted.some(isAnswer) ? [["ok", "Incomplete answers"]] : [])];
  const tests = Object.entries(TESTS).filter(([, [, keep]]) => sorted.some(keep)).map(([value, [words]]) => [value, words]);
  if (sorted.some(isAnswer)) kinds[0][1] = "All of them";
  draw();
  section("Refused calls", "Calls that were denied by policies or grants, or failed for another reason, " +
    "and answers without what is still under way. Open one for the whole explanation." +
    (hasTests ? " Expected: the test has passed, since it has caught the error, or a retry has succeeded." : ""),
    el("div", { class: "controls" },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, "Search in refused calls"),
        el("input", { type: "search", placeholder: `Search: operation, key, principal, ${hasTests ? "test, " : ""}reason`, on: {
          input: (event) => { wanted = event.target.value.toLowerCase(); shown = SIZE; draw(); } } })),
      choice("Which calls", kinds, (value) => { kind = value; }),
      hasTests ? choice("In which tests", tests, (value) => { which = value; }) : null, told),
    list, more);
}
