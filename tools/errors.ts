// The catalogue of errors that a person meets: a stable code, what happened and to what, and what to do about it.
// Exit status: 2 where what was typed is wrong whatever files and nodes hold, or a meter refuses its configuration, so that trying again
// does not help; 3 where an audit could not judge all of it; 1 for any other failure.

const remedies = {
  USAGE: "Run the command with --help to see what it takes.",
  NOT_FOUND: "Look at what there is, with `list` or `show` of what is meant, and name one of those.",
  FILE_UNREADABLE: "Name a path that is there, as `ls -l PATH` shows it, or let this user read it: `chmod u+r PATH`.",
  FILE_UNWRITABLE:
    "Make the folder, or let this user write there: `ls -ld FOLDER` has its rights, `df -h FOLDER` its room.",
  FILE_INVALID: "Correct the file as the message says, or name another one; nothing was changed.",
  FILE_EXPOSED:
    "Close it to others as the message says; whoever may have read a key meanwhile can sign with it: replace it where you are not sure.",
  FILE_EXISTS: "Nothing was overwritten: name another folder, or remove it first.",
  CONFIGURATION_INVALID: "Correct the file; docs/configuration.md lists its fields.",
  CONFIGURATION_REFUSED:
    "Correct configuration.json, or the option that was to replace a part of it; docs/configuration.md lists the fields.",
  GENESIS_INVALID: "Fetch the genesis again from the authority; nothing was changed.",
  KEY_INVALID: "Restore the key file from its backup; never make a new key for an existing node.",
  TEST_AND_REAL:
    "Keep the two apart: `gridseal authority init` makes another authority, with --test for a test network; `gridseal init` takes --test too.",
  NETWORK_DIFFERS:
    "Name the network that the authority was made for, as `gridseal init --network NAME` does; `gridseal authority init --name NAME` makes another authority.",
  CERTIFICATE_INVALID:
    "Put the certificate, its key and the authority's certificate back that were made for this node; `gridseal authority node` makes new ones.",
  FIRMWARE_INVALID: "No meter would take it: sign the image that was built, with the board and version of its build.",
  STORE_CORRUPT:
    "Nothing was overwritten: `gridseal node repair` sets the store aside and fetches the chains from the peers; `gridseal restore` puts a backup back.",
  STORE_FULL: "Free disk space; the node starts again where it stopped.",
  STORE_CLOSED: "The node is stopping; what asked is not to be answered any more.",
  STORE_FOREIGN:
    "This folder belongs to another node or network: put the right one into `data` of node.json, or name it with --data.",
  FOLDER_IN_USE: "Stop the process that runs in the folder, or name another folder.",
  NODE_UNFIT: "Do what stands below each line that fails, from the first on, and run the command again.",
  PORT_UNAVAILABLE:
    "Another process holds the port: `ss -ltnp` names it. Stop it, or choose another port in node.json.",
  BROKER_UNREACHABLE:
    "Start the broker, or correct its URL, user and password in the configuration: `gridseal doctor` tries each and says which.",
  CHAIN_INVALID: "The chain does not follow from its genesis: do not rely on it; fetch it again from another node.",
  CONTRACTS_MISSING:
    "So far it is good. Name the contracts chain too, as new as this one: `gridseal chain export contracts` writes it.",
  CHAIN_CUT: "What is there is good as far as it goes: fetch the rest of it, from its first block to its last.",
  CHAIN_PRUNED: "So far it is good. Audit a node that keeps whole blocks, or an export that was made before.",
  CHAIN_PUBLIC:
    "Its members have sealed these headers. Ask for the whole chain, with a credential that may read it: `gridseal chain export`.",
  SCRIPT_UNKNOWN: "So far it is good. Update Gridseal: the chain goes on by rules that came after this version.",
  NO_CHAIN: "Name files that `gridseal chain export` has written; what else was named is audited.",
  ERASURE_UNPROVED: "Ask every member of the chain, each by its own API; who does not answer has said nothing.",
  RECEIPT_INVALID:
    "Do not rely on it: get it again with `gridseal receipt get`, and compare the genesis with the authority's by `gridseal genesis show`.",
  BLOCK_PRUNED: "Ask a node that keeps whole blocks, or use an export that was made before.",
  RECORD_UNKNOWN:
    "`gridseal record list --meter ID --service S` has the numbers that are sealed; one that waits at the meter is not there yet.",
  RECORD_REFUSED: "Keep the record: PROTOCOL.md, section 15, says of each reason what to do.",
  DENIED:
    "It is sealed, and changes nothing: correct what the reason names, and sign another operation; its number is used.",
  NOT_SEALED:
    "Run the same command again: nothing is sent twice. Where it stays so, look with `gridseal chain list` whether enough nodes are up.",
  GRANT_CLOSED:
    "Look with gridseal access list whether the request is accepted, and name more nodes of the chain with --api: f + 1 of them open a grant.",
  OUTBOX_DAMAGED:
    "Sign nothing with this key: its next number is not known, and a guess may fork. Restore the file, or ask for a credential of another key.",
  ORDER_REFUSED: "List what is sealed with gridseal order list, and make the order again upon that.",
  REGISTER_REFUSED: "Nothing was registered: look at `gridseal authority show` and correct what the message names.",
  REQUESTS_REFUSED:
    "The others have their credentials. Have requests that fit made for the lines that are named, as by `gridseal provision` with other --services, and send all again; whoever has one gets the same.",
  ENROLMENT_REFUSED: "Correct what the message names; for another try the authority gives another one-time code.",
  CREDENTIAL_INVALID:
    "Nothing was written: compare the genesis with the authority's, and name the key file that has signed the enrolment.",
  AUTHORITY_UNREACHABLE:
    "Ask the authority whether `gridseal authority serve` runs, and for its URL and for the certificate that --ca names.",
  SHIPMENT_INVALID: "Take no device by it: ask who sent it for the file again, and compare the maker's key.",
  REGISTER_DAMAGED:
    "Issue nothing more: put a backup of the register back whose head `gridseal authority audit` finds good.",
  NOT_ADMITTED:
    "Ask as somebody who may, of chains a node or a regulator: --as names a folder with key.json, credential.cbor and genesis.cbor, or a node's folder.",
  NODE_UNREACHABLE:
    "Start it with `gridseal node run`, or name the address that `api` of its node.json has; `gridseal doctor --api URL` tries it.",
  PORT_UNUSABLE:
    "Plug the cable in and name the port: `ls /dev/tty*` has them. Reset the device, and close what else holds it, such as a terminal; on Linux be in the group that owns it, often dialout. Then run it again: it goes on where it was.",
  CHIP_UNREACHABLE:
    "Hold BOOT, press RESET, let go of BOOT, and run it again with --no-reset; close a terminal that holds the port; a charging cable has no data.",
  CHIP_REFUSED: "Nothing was written: name the bundle that was built for this board.",
  CHIP_UNLOCKED:
    "Run `gridseal provision lock` without --check: it prints which steps are open, and -o writes their commands.",
  FLASH_FAILED:
    "The chip holds a part of it: run the command again, at a lower --baud where it ends at other places each time.",
  METER_SILENT:
    "Name the port of the meter's console, close what else holds it, and press Enter there at 115200 baud: `help` must answer.",
  METER_REFUSED:
    "Look at the meter's console with `show` and `state`; run the command again once it takes what is typed.",
  METER_FOREIGN: "Name the right network; where the meter is to leave the other one, add --take-over.",
  HOLDING_WRONG:
    "Certify nothing of this meter: its firmware or somebody at the line says otherwise than was written. Flash it anew.",
  METER_UNPROVEN:
    "Everything is stored: set right what the meter says (docs/field-engineer.md has its states), and run the command again.",
  METER_PORT_FAILED:
    "Plug the cable in and name the device in `meter.port` of configuration.json: `ls -l /dev/tty*` has paths and rights.",
  NATIVE_TOOL_MISSING: "Install a C compiler and make, then run npm ci again.",
  ENGINE_FOREIGN:
    "Install the packages again with npm ci: contracts run in the one engine that the network has agreed on.",
  ENGINE_DIFFERS:
    "Nothing is lost: the other members go on, and this node neither votes nor follows on that chain. Install the node's version and its packages again with npm ci, on hardware that you trust, and start it again.",
  ENGINE_FAULT:
    "Nothing was decided: this machine, not the contract, stopped the run. Try again; look for memory that is short, and report it where it comes again.",
  REPORT_INVALID: "Correct the file that maps the columns; docs/communities.md has its fields.",
  REPORT_DIFFERS:
    "Ask the grid operator about these lines; `gridseal record list --meter ID` shows which readings are missing.",
  GRID_INVALID: "Correct the file; docs/grid-operator.md has its fields.",
  GRID_UNSAFE: "Deliver no more than what is carried, or relieve the element that is named.",
  RATING_DIFFERS:
    "Do not rely on the rating: ask another node for the same, and object where its facts are not what is sealed.",
  GROUP_TOO_SMALL:
    "Study a larger group or a longer period; `--audience members` shows single members to who may read the chain anyway, and cannot be sealed.",
  STUDY_DIFFERS:
    "Do not rely on the study: compare group, period and export with what it names, and seal what you found with gridseal study check.",
  DUCKDB_MISSING:
    "Install it beside Gridseal with npm install --no-save @duckdb/node-api@1.5.6-r.1; studies that are no queries need none.",
  QUERY_REFUSED:
    "Correct the query: it sees the tables `readings` and `totals` alone, and neither files, settings nor the network.",
  CONTRACT_INVALID: "Correct what the message names; `gridseal contract lint` finds what a contract must not do.",
  CONTRACT_FAILED: "Compare what each vector expects with what came: correct the contract, or the vector.",
  INVARIANT_VIOLATED:
    "This is a defect of Gridseal: the process stopped before doing harm. Please report it with the log.",
} as const;

export type ErrorCode = keyof typeof remedies;

/** Nothing wrong was found, but not all of it could be judged. */
const unjudged: readonly ErrorCode[] = [
  "CONTRACTS_MISSING",
  "CHAIN_CUT",
  "CHAIN_PRUNED",
  "CHAIN_PUBLIC",
  "SCRIPT_UNKNOWN",
  "NO_CHAIN",
];

/** An error with a place in the catalogue; `message` says what happened and to what, `remedy` what to do. */
export class GridsealError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "GridsealError";
    this.code = code;
  }

  get remedy(): string {
    return remedies[this.code];
  }

  get exitStatus(): 1 | 2 | 3 {
    if (this.code === "USAGE" || this.code === "CONFIGURATION_REFUSED") return 2;
    return unjudged.includes(this.code) ? 3 : 1;
  }
}

/** What the thrown value says, without assuming that it is an Error. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Stops the node where an invariant of its own does not hold; named so that the log tells which. */
export function assertInvariant(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new GridsealError("INVARIANT_VIOLATED", `invariant does not hold: ${invariant}`);
}
