// What commands of the market take: money, points, the contract and the chain that it is on; and how money is shown.

import { type Command, InvalidArgumentError } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { parseOperation } from "../../../src/wire/operation.js";
import type { Value } from "../../../src/wire/value.js";
import { decimal, printLines, toJson } from "../../terminal/output.js";
import { signIn } from "../operation/sign.js";

/** Digits of money behind the point. */
const MONEY_DIGITS = 5;

/** Money with up to five digits behind the point, in 10^-5. */
export function money(text: string): number {
  const [, whole, fraction = ""] = /^(\d{1,7})(?:[.](\d{1,5}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new InvalidArgumentError("It must be money such as 0.12, with at most five digits.");
  return Number(whole + fraction.padEnd(MONEY_DIGITS, "0"));
}

/** Money that may be negative, `--price=-0.05`. */
export function price(text: string): number {
  return text.startsWith("-") ? -money(text.slice(1)) : money(text);
}

export function moneyText(amount: number | bigint): string {
  return decimal(amount, -MONEY_DIGITS);
}

/** mWh as kWh. */
export function energyText(energy: number | bigint): string {
  return decimal(energy, -6);
}

/** A part of the whole, in 10,000: `50`, `12.5`, `0.25`, all in per cent. */
export function percent(text: string): number {
  const [, whole, fraction = ""] = /^(\d{1,3})(?:[.](\d{1,2}))?$/.exec(text) ?? [];
  const parts = whole === undefined ? -1 : Number(whole + fraction.padEnd(2, "0"));
  if (parts < 1 || parts > 10_000) throw new InvalidArgumentError("It must be above 0 and at most 100, as 12.5.");
  return parts;
}

export interface AskOptions {
  readonly as: string;
  readonly service: string;
  readonly json?: true;
}

/** Adds the options of a command that signs an operation. */
export function withSigner(command: Command): Command {
  return command
    .requiredOption("--as <dir>", "folder of who asks: key.json, genesis.cbor, credential.cbor")
    .option("--service <name>", "name or number of the chain's service", "trading")
    .option("--json", "print JSON");
}

/** Signs what is asked, without fields that are not named, and says what is next. */
export async function ask(
  type: number,
  fields: { readonly [name: string]: Value | undefined },
  options: AskOptions,
): Promise<void> {
  const body = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Value;
  const { bytes, waiting } = await signIn(options.as, options.service, { type, body });
  const { claims, hash } = parseOperation(bytes);
  printLines(
    options.json
      ? [toJson({ service: claims.service, seq: claims.seq, type, body, hash, waiting })]
      : [
          `operation ${claims.seq} of service ${claims.service} is signed: ${toHex(hash)}`,
          `next: gridseal operation submit --as ${options.as} --api URL --wait`,
        ],
  );
}
