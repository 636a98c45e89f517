// The alert rules and the dashboard name metrics and labels that nodes have; promtool, where it is there, takes the rules.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { metricsText } from "../../tools/monitor/outputs.js";
import { createWatch } from "../../tools/monitor/watch.js";
import { createMetrics, watchProcess } from "../../tools/node/watch/metrics.js";

const path = (name: string) => fileURLToPath(new URL(`../../tools/monitor/${name}`, import.meta.url));
const read = (name: string) => readFileSync(path(name), "utf8");
const metrics = createMetrics();
watchProcess(metrics);
const own = metricsText({ watch: createWatch(), progress: [] }).matchAll(/^# TYPE (\w+) /gm);
const known = [
  ...(await metrics.registry.getMetricsAsJSON()).map(({ name }) => name),
  ...[...own].map(([, name]) => name!),
];

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const alarms = [...read("alerts.yml").matchAll(/^ {8}expr: (.*)$/gm)].map(([, expression]) => expression!);
const drawn = (JSON.parse(read("dashboard.json")) as Dashboard).panels.flatMap(({ targets }) =>
  targets.map(({ expr }) => expr),
);

test("alert rules and dashboard ask for metrics that nodes have", () => {
  assert.ok(alarms.length > 10 && drawn.length > 10);
  for (const expression of [...alarms, ...drawn]) {
    for (const [name] of expression.matchAll(/\b(?:gridseal|process|nodejs)_\w+/g)) {
      assert.ok(known.includes(name.replace(/_bucket$/, "")), `${name} in ${expression}`);
    }
  }
});

test("every alert has how urgent it is, what happened and what to do", () => {
  const rules = read("alerts.yml")
    .split(/^ {6}- alert: /m)
    .slice(1);
  assert.equal(rules.length, alarms.length);
  for (const rule of rules) {
    assert.match(rule, /^ {8}labels: \{ severity: (page|ticket) \}$/m);
    assert.match(rule, /^ {10}summary: ".+"$/m);
    assert.match(rule, /^ {10}action: "[A-Zg].+\."$/m);
  }
});

const promtool = spawnSync("promtool", ["--version"]);

test("promtool takes the alert rules", { skip: promtool.error === undefined ? false : "promtool is absent" }, () => {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", path("alerts.yml")], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
});
