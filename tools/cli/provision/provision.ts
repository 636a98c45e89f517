// `gridseal provision`: brings new meters into a network at their consoles or, with a key made here, by their NVS partition; one or
// many at once. Run again it goes on where it was.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Command } from "commander";
import type { Signer } from "../../../src/wire/key.js";
import { readIssuing } from "../../authority/folder.js";
import { DAYS_DEFAULT } from "../../authority/issue.js";
import { issuedChains } from "../../authority/issued-orders.js";
import { REQUESTS_BYTES_MAX } from "../../authority/requests/answer.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readWhole } from "../../files/made-once.js";
import { type Bench, openBench } from "../../provisioning/console/bench.js";
import { type Certifier, postedCertifier, registerCertifier } from "../../provisioning/console/certifier.js";
import { runProvisioning } from "../../provisioning/console/run.js";
import { createProvisioning, type Outcome, type Plan } from "../../provisioning/console/step.js";
import { nodePort, onlyPort } from "../../provisioning/flash/node-port.js";
import { serviceTexts, several, whole } from "../../terminal/arguments.js";
import { printLines, printNote, toJson } from "../../terminal/output.js";
import { authorityFolder, useRegister } from "../authority/authority-options.js";
import { injectChip, injectImages } from "./inject.js";
import { registerLock } from "./lock.js";
import { listFrom, type ProvisionOptions, planFrom } from "./plan.js";

const PATIENCE_S = 180;
const AT_ONCE = 16;
const CHALLENGE_BYTES = 16;
/** Of the NVS partition of the boards (hosts/esp32). */
const NVS = { offset: 0x9000, bytes: 0x6000, most: 0x1000000 } as const;

export function registerProvision(program: Command): void {
  const provisioning = program
    .command("provision")
    // `lock` has options of the same names.
    .enablePositionalOptions()
    .description("bring new meters into a network at their consoles; run again, it goes on where it was")
    .option("--network <dir>", "folder of the network, whose register is asked")
    .option("--authority <dir>", "folder of its authority; that in the network's where absent")
    .option("--genesis <file>", "the network's genesis, where its register is elsewhere: requests become files")
    .option("--answers <file>", "the answers to those files that the authority sent")
    .option("--key <file>", "key of the registrar who answers for the meters")
    .option(
      "--port <path>",
      "serial port of a meter's console (repeatable); the only one there is where absent",
      several,
    )
    .option("--id <id>", "the meter's ID")
    .option("--list <file>", "CSV of the meters that are to be: `id`, and where wanted `mac` and `place`")
    .option("--bench <dir>", "folder that remembers which meter has which ID", "bench")
    .option("--broker <url>", "broker of the meters (repeatable); those of the network's nodes where absent", several)
    .option(
      "--services <numbers>",
      "services by name or number, 1,heat,...; all of the network where absent",
      serviceTexts,
    )
    .option("--ca <file>", "certificate (PEM) that brokers' are checked against; the network's where absent")
    .option("--wifi <file>", "file with the network's name in its first line and the password in its second")
    .option("--sntp <host>", "time server")
    .option("--meter <json>", "how the meter is read, as `meter` of its configuration; found out where absent")
    .option("--lot <name>", "the lot that the meters were made in")
    .option("--days <count>", "validity of credentials", whole(1, 36_500), DAYS_DEFAULT)
    .option("--until <what>", "sealed: the first record of each; stored: all is in the meter", untilFrom, "sealed")
    .option("--patience <seconds>", "how long a first record may take", whole(1, 86_400), PATIENCE_S)
    .option("--at-once <count>", "ports at a time", whole(1, 256), AT_ONCE)
    .option("--take-over", "take meters of another network too")
    .option(
      "--mode <how>",
      "console: the meter makes its key; inject: it is made here, for a chip in download mode",
      modeFrom,
      "console",
    )
    .option("-o, --out <dir>", "inject: an image for each meter of the list in this folder, instead of a chip")
    .option("--nvs-offset <bytes>", "inject: where the chip's NVS partition begins", whole(0, NVS.most), NVS.offset)
    .option("--nvs-bytes <bytes>", "inject: its size", whole(0, NVS.most), NVS.bytes)
    .option("--no-reset", "inject: the board is in download mode already: somebody has held BOOT")
    .option("--dry-run", "say what each meter lacks, and write and issue nothing")
    .option("--json", "print a JSON document a meter")
    .action(provision);
  registerLock(provisioning);
}

function untilFrom(text: string): "sealed" | "stored" {
  if (text === "sealed" || text === "stored") return text;
  throw new GridsealError("USAGE", `--until is sealed or stored, not ${text}`);
}

function modeFrom(text: string): "console" | "inject" {
  if (text === "console" || text === "inject") return text;
  throw new GridsealError("USAGE", `--mode is console or inject, not ${text}`);
}

async function provision(options: ProvisionOptions): Promise<void> {
  const isInjected = options.mode === "inject";
  if (options.out !== undefined && !isInjected) throw new GridsealError("USAGE", "--out is for --mode inject");
  if (options.dryRun && isInjected) throw new GridsealError("USAGE", "--dry-run asks a meter's console");
  const ports = options.out !== undefined ? [] : (options.port ?? [await onlyPort("name those of meters with --port")]);
  const plan = await planFrom(options);
  const list = await listFrom(options);
  const signer = options.key === undefined ? undefined : await readKeyFile(options.key);
  const bench = await openBench(options.bench, list, plan.isDry);
  try {
    await withCertifier(options, bench, { genesisHash: plan.genesisHash, signer }, async (certifier) => {
      const injecting = { bench, plan, certifier, options };
      const outcomes =
        options.out !== undefined
          ? await injectImages(list, options.out, injecting)
          : await atPorts(ports, options.atOnce, (path) =>
              isInjected ? injectChip(path, injecting) : atConsole(path, ports.length > 1, injecting),
            );
      report(outcomes, plan, options);
    });
  } finally {
    await bench.close();
  }
}

/** The outcome at each port, so many at a time; what one cannot do ends no other. */
async function atPorts(
  ports: readonly string[],
  atOnce: number,
  act: (path: string) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...ports.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, path] = next;
      try {
        outcomes[index] = await act(path);
      } catch (thrown) {
        if (!(thrown instanceof GridsealError)) throw thrown;
        outcomes[index] = { type: "failed", code: thrown.code, reason: `${path}: ${thrown.message}` };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, ports.length) }, work));
  return outcomes;
}

interface AtConsole {
  readonly plan: Plan;
  readonly bench: Bench;
  readonly certifier: Certifier;
}

async function atConsole(path: string, isNamed: boolean, { plan, bench, certifier }: AtConsole): Promise<Outcome> {
  const state = createProvisioning(plan, randomBytes(CHALLENGE_BYTES));
  const progress = (text: string) => printNote(`${isNamed ? `${path}: ` : ""}${text}`);
  return runProvisioning(state, {
    ...{ port: await nodePort(path), bench, certifier, progress },
    now_ms: () => performance.now(),
  });
}

interface Registrar {
  readonly genesisHash: Uint8Array;
  readonly signer: Signer | undefined;
}

async function withCertifier(
  options: ProvisionOptions,
  bench: Bench,
  registrar: Registrar,
  use: (certifier: Certifier) => Promise<void>,
): Promise<void> {
  const { network, answers, days } = options;
  if (network === undefined) {
    const bytes = answers === undefined ? undefined : await readWhole(answers, REQUESTS_BYTES_MAX);
    return use(postedCertifier(bench.folder, bytes, registrar));
  }
  const folder = authorityFolder({ ...options, network });
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const now_s = () => Math.floor(Date.now() / 1_000);
  const authority = { issuing: await readIssuing(genesis, folder, now_s()), genesis, genesisBytes };
  const services = (await issuedChains(folder, genesis)).map(({ service }) => service);
  await useRegister({ ...options, network }, (register) =>
    use(registerCertifier({ authority, register, terms: { services, days }, now_s, isDry: false }, registrar)),
  );
}

/** A line and what comes next for each meter. Throws where one has failed. */
function report(outcomes: readonly Outcome[], { testNetwork }: Plan, options: ProvisionOptions): void {
  const shown = outcomes.map((outcome) => ({ ...outcome, ...(testNetwork !== undefined && { isTest: true }) }));
  printLines(options.json ? shown.map(toJson) : outcomes.flatMap((outcome) => linesOf(outcome, options)));
  if (testNetwork !== undefined) {
    printNote(`${testNetwork} is a test network: no other network takes what these meters hold`);
  }
  const failed = outcomes.flatMap((outcome) => (outcome.type === "failed" ? [outcome] : []));
  const [first] = failed;
  if (first === undefined) return;
  const others = outcomes.length === 1 ? "" : ` (${failed.length} of ${outcomes.length} meters failed)`;
  throw new GridsealError(first.code, `${first.reason}${others}`);
}

function linesOf(outcome: Outcome, { network, bench }: ProvisionOptions): readonly string[] {
  const name = `${outcome.id ?? "a meter"}, MAC ${outcome.mac ?? "unknown"}, key ${outcome.meter ?? "unknown"}`;
  switch (outcome.type) {
    case "provisioned":
      return [
        `${name}: provisioned, the meter has verified the receipt of its first record`,
        `next: gridseal authority assign ${outcome.id} POINT --network ${network ?? "DIR"}`,
      ];
    case "stored":
      return [
        `${name}: stored, not yet provisioned`,
        `next: at its meter, gridseal provision --network ${network ?? "DIR"} --bench ${bench} --port PORT --id ${outcome.id} ends with its first record`,
      ];
    case "waiting":
      return [
        `${name}: its request waits in ${outcome.text}`,
        `next: cat ${bench}/*.request > requests, send that to the authority, and run this again with --answers FILE`,
      ];
    case "lacks":
      return [
        `${name}: ${outcome.lacks.length === 0 ? "lacks nothing" : `lacks ${outcome.lacks.join(", ")}`}`,
        "nothing was written: leave out --dry-run",
      ];
    case "failed":
      return [`${name}: failed: ${outcome.reason}`];
  }
}
