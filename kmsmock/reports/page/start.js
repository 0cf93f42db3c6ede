// --- the whole page ------------------------------------------------------------------------------

showHead();
if (report.total.calls) {
  showBars();
  showRefusals();
  showScenes();
  showKeys();
  showQuotas();
  showPolicies();
  showSlowest();
} else {
  main.append(el("p", { class: "card" }, "No KMS calls."));
}
// Print what is collapsed on the screen, too.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
performance.mark("shown");
