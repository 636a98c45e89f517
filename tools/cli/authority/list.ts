// `gridseal authority list`: the credentials of the register, one a line.

import { join } from "node:path";
import { type Command, Option } from "commander";
import { isDevice, type Role } from "../../../src/wire/credential.js";
import type { Register } from "../../authority/register/register.js";
import type { CredentialRow, RegisterView } from "../../authority/register/rows.js";
import { GridsealError } from "../../errors.js";
import { heardMeters } from "../../sources/heard.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { printLines, table, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface ListOptions extends AuthorityOptions, SourceOptions {
  readonly state?: string;
  readonly organisation?: string;
  readonly lot?: string;
  readonly registrar?: string;
  readonly silent?: true;
  readonly json?: true;
}

/** `expired` is no state of the register: time alone makes it. `registered` is who has no credential yet. */
const states = ["valid", "renewed", "replaced", "suspended", "revoked", "expired", "registered"];

export function registerList(authority: Command): void {
  withAuthority(authority.command("list").description("list credentials"))
    .addOption(
      new Option(
        "--state <state>",
        "those in this state; registered: devices and participants that have no credential yet",
      ).choices(states),
    )
    .option("--organisation <id>", "those of its participants, of its devices, and of devices at its points")
    .option("--lot <name>", "those of devices of this lot")
    .option("--registrar <id>", "those that were issued by the word of this registrar")
    .option("--silent", "those of devices that no record is sealed of, by the blocks of the node named")
    .option("--api <url>", "API of a node, for --silent")
    .option("--data <dir>", "a node's data folder instead")
    .option("--json", "print a JSON document a line")
    .action(list);
}

/** The state that a person sees: a credential that is good but for its end has expired. */
export function stateOf({ state, expires_s }: CredentialRow, now_s: number): string {
  return state === "valid" && now_s >= expires_s ? "expired" : state;
}

/** A credential as commands print it. */
export function credentialView(view: RegisterView, row: CredentialRow, now_s: number) {
  const { subject: id, meter, statusIndex, services, roles, expires_s } = row;
  const point = view.get("assignments", id)?.point;
  return { id, meter, state: stateOf(row, now_s), statusIndex, roles, services, expires_s, point };
}

async function list(options: ListOptions): Promise<void> {
  if (options.state === "registered") return useRegister(options, (register) => listRegistered(register, options));
  const now_s = Math.floor(Date.now() / 1_000);
  const heard = options.silent ? await heardBy(options) : undefined;
  await useRegister(options, (register) => {
    const rows: ReturnType<typeof credentialView>[] = [];
    for (const { row } of register.rows("credentials")) {
      if (isListed(register, row, options, now_s) && !(heard?.has(row.meter) ?? false)) {
        rows.push(credentialView(register, row, now_s));
      }
    }
    const heads = ["ID", "KEY ID", "STATE", "ROLES", "SERVICES", "UNTIL", "POINT"];
    printLines(
      options.json
        ? rows.map(toJson)
        : table(
            heads,
            rows.map((row) => [
              ...[row.id, row.meter, row.state, row.roles.join(","), row.services.join(",")],
              ...[new Date(row.expires_s * 1_000).toISOString().slice(0, 10), row.point ?? ""],
            ]),
          ),
    );
  });
}

/** Devices and participants that have no credential yet. */
function listRegistered(register: Register, { organisation, lot, registrar, silent, json }: ListOptions): void {
  if (registrar !== undefined || silent) {
    throw new GridsealError("USAGE", "who has no credential has none by a registrar, and is not silent");
  }
  const isWanted = (id: string, rowLot: string | undefined) =>
    register.get("subjects", id) === undefined &&
    (lot === undefined || rowLot === lot) &&
    (organisation === undefined || organisationsOf(register, id).includes(organisation));
  const devices = [...register.rows("devices")].filter(({ id, row }) => isWanted(id, row.lot));
  const participants = [...register.rows("participants")].filter(({ id }) => isWanted(id, undefined));
  const rows = [
    ...devices.map(({ id, row }) => ({
      id,
      kind: "device",
      lot: row.lot,
      point: register.get("assignments", id)?.point,
    })),
    ...participants.map(({ id }) => ({ id, kind: "participant", lot: undefined, point: undefined })),
  ];
  const cells = rows.map(({ id, kind, lot: of, point }) => [id, kind, of ?? "", point ?? ""]);
  printLines(json ? rows.map(toJson) : table(["ID", "WHAT", "LOT", "POINT"], cells));
}

/** Meters that the node has sealed records of. */
function heardBy({ network, api, data }: ListOptions): Promise<ReadonlySet<string>> {
  const genesis = join(network, "genesis.cbor");
  return withNodeSource(
    { genesis, ...(api !== undefined && { api }), ...(data !== undefined && { data }) },
    heardMeters,
  );
}

function isListed(view: RegisterView, row: CredentialRow, options: ListOptions, now_s: number): boolean {
  const { state, organisation, lot, registrar, silent } = options;
  if (state !== undefined && stateOf(row, now_s) !== state) return false;
  if (organisation !== undefined && !organisationsOf(view, row.subject).includes(organisation)) return false;
  if (lot !== undefined && view.get("devices", row.subject)?.lot !== lot) return false;
  if (registrar !== undefined && row.registrar !== registrar) return false;
  // Who may not send records is not missed.
  return !silent || (row.state === "valid" && isDevice({ roles: row.roles as readonly Role[] }));
}

/** Of the participant, or that own the device or the point that it measures. */
function organisationsOf(view: RegisterView, subject: string): readonly (string | undefined)[] {
  const point = view.get("assignments", subject)?.point;
  return [
    view.get("participants", subject)?.organisation,
    view.get("devices", subject)?.owner,
    point === undefined ? undefined : view.get("points", point)?.organisation,
  ];
}
