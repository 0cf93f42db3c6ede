// --- refusals ------------------------------------------------------------------------------------

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
        el("span", { class: "test" }, testName(one.test))),
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
    [["all", "All of them"], ["denied", "Denied"], ["failed", "Failed"], ["ok", "Incomplete answers"]].map(([value, label]) => el("option", { value }, label)));
  draw();
  section("Refused calls", "Calls that were denied by policies or grants, or failed for another reason, and answers without what is still under way. Open one for the whole explanation.",
    el("div", { class: "controls" },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, "Search in refused calls"),
        el("input", { type: "search", placeholder: "Search: operation, key, principal, test, reason", on: {
          input: (event) => { wanted = event.target.value.toLowerCase(); draw(); } } })),
      el("label", {}, el("span", { class: "hidden" }, "Which"), select),
      failedTests.size ? el("label", {}, el("input", { type: "checkbox", on: {
        change: (event) => { onlyFailed = event.target.checked; draw(); } } }), "in failed tests") : null, told),
    list, more);
}
