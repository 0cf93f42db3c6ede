// --- policy coverage -----------------------------------------------------------------------------

function showPolicies() {
  if (!report.policies.length) return;
  const missing = (row) => row.statements - row.covered, weak = (row) => row.weakenings - row.noticed;
  section("Policy coverage", "Statements that have decided calls, and weakenings of policies that tests would notice.", pagedTable({
    title: "Policy coverage", rows: report.policies, size: 10,
    filters: [["not covered", (row) => missing(row) > 0], ["weak", (row) => weak(row) > 0]],
    text: (row) => `${row.policy} ${row.gaps.join(" ")}`,
    columns: [
      { title: "Policy", kind: "name", by: (row) => row.policy, cell: (row) => breakable(row.policy) },
      { title: "Statements", kind: "number", by: (row) => row.statements, cell: (row) => count(row.statements) },
      { title: "Missing", kind: "number", by: missing, cell: (row) => count(missing(row)) },
      { title: "Noticed", kind: "number", by: (row) => -weak(row), cell: (row) => `${count(row.noticed)} of ${count(row.weakenings)}` },
      { title: "Not covered", kind: "name", cell: (row) => row.gaps.map((gap) => el("div", {}, gap)) },
    ],
  }));
}

