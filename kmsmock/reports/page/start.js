// --- all of it -----------------------------------------------------------------------------------

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
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
performance.mark("shown");
